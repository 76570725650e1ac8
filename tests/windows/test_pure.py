# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has no I/O: the same values go to both cores, and the same comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import (
    client,
    facts,
    fields,
    options,
    paths,
    reasons,
    retry,
    versions,
)
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.tests.scenarios.imds.conversations import BAD_BODIES
from ansible_collections.imds.azure.tests.scenarios.imds.documents import DOCUMENTS, KEY
from ansible_collections.imds.azure.tests.scenarios.imds.fact_cases import (
    CASES,
    CONTEXTS,
    DOCUMENT,
    marked,
    nested,
)
from ansible_collections.imds.azure.tests.scenarios.imds.outcomes import ANSWERS, WAITS
from ansible_collections.imds.azure.tests.windows.agreement import both_build
from ansible_collections.imds.azure.tests.windows.core import Core, comparable, encoded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# The process is the same for all examples, as it is for all tests.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- facts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("secrets", [False, True])
def test_documents_give_the_same_facts(core: Core, name: str, secrets: bool) -> None:
    context = facts.Context(local_address="10.1.0.4", include_user_data=secrets, include_public_keys=secrets)
    both_build(core, DOCUMENTS[name], context)


def test_names_that_look_like_paths(core: Core) -> None:
    both_build(core, {"compute": {"name": "a", "os.x": ""}, "compute.name": "b", "": {"compute": {}}, "network.x": {}})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_unknown_keys(core: Core, name: str) -> None:
    both_build(core, marked(DOCUMENTS[name]))


@pytest.mark.parametrize("field", fields.FIELDS, ids=lambda field: str(field.fact))
def test_each_fact(core: Core, field: fields.Field) -> None:
    for sent, _expected in CASES.get(field.fact) or CASES[field.kind]:
        both_build(core, nested(field.source, sent))


def representable(value: Any) -> bool:
    """.NET's 64 bits, and its bool that is no number."""
    if isinstance(value, dict):
        return all(map(representable, value.values())) and not isinstance(value.get("lun"), bool)
    if isinstance(value, list):
        return all(map(representable, value))
    if isinstance(value, str):
        # Upper and lower case beyond Latin, and Base64 with odd padding, which Python's versions judge differently.
        return value.isascii() and not value.endswith("=")
    return not isinstance(value, int) or abs(value) < 2**63


@given(DOCUMENT.filter(representable), CONTEXTS)
@shared
def test_any_document(core: Core, document: Any, context: facts.Context) -> None:
    both_build(core, document, context)


NAMES = ["diskSizeGB", "vmId", "azEnvironment", "IPv4Address", "a1B2", "", "---", "größe", "X", "aB", "ABc", "a.b c"]


@pytest.mark.parametrize("name", NAMES)
def test_names_become_snake_case_alike(core: Core, name: str) -> None:
    assert core("snake", name=name) == facts.snake(name)


@given(st.text(st.characters(max_codepoint=0x17F, exclude_categories=["Cs"], exclude_characters="\u0130"), max_size=30))
@shared
def test_any_name(core: Core, name: str) -> None:
    assert core("snake", name=name) == facts.snake(name)


TAGS = ["", "a:1", "a:1;b:2", "a:1;2;b:3", "a:b:c", ":x", ";;", "a;b", "a:1;a:2", "a:;b:"]


@pytest.mark.parametrize("tags", TAGS)
def test_tags_are_read_alike(core: Core, tags: str) -> None:
    both_build(core, {"compute": {"tags": tags}})


@given(st.text("ab:;", max_size=12))
@shared
def test_any_tags(core: Core, tags: str) -> None:
    both_build(core, {"compute": {"tags": tags}})


# --- JSON -----------------------------------------------------------------------------------------------------------

JSON = {
    **BAD_BODIES,
    "everything": b' {"a":[1,-2.5e3,true,false,null,"\\u00fc\\ud83d\\ude00\\n\\/"],"b":{},"c":[],"d":""}\r\n\t ',
    "a name twice": b'{"a":1,"a":2}',
    "names that differ in case": b'{"a":1,"A":2}',
    "no date": b'{"a":"\\/Date(1)\\/","__type":"x"}',
    "minus zero": b"-0",
    "the largest": b"9223372036854775807",
    "the smallest": b"-9223372036854775808",
    "exponents": b"[1e2,1E+2,1e-2,0.5]",
    "63 levels, and a value": b"[" * 63 + b"1" + b"]" * 63,
    "64 levels, and a value": b"[" * 64 + b"1" + b"]" * 64,
    "64 levels": b"[" * 64 + b"]" * 64,
    "65 levels": b"[" * 65 + b"]" * 65,
    "single quotes": b"{'a':1}",
    "no quotes": b"{a:1}",
    "a comma at the end": b"[1,]",
    "a comma at the end of an object": b'{"a":1,}',
    "a comma alone": b"[,]",
    "no comma": b"[1 2]",
    "no colon": b'{"a" 1}',
    "no name": b"{1:2}",
    "a leading zero": b"01",
    "a plus": b"+1",
    "no digit before the point": b".5",
    "no digit behind the point": b"1.",
    "no exponent": b"1e",
    "a minus": b"-",
    "hexadecimal": b"0x1",
    "a comment": b"[1] // one",
    "a tab in a string": b'"\t"',
    "a NUL": b'"\x00"',
    "a NUL between": b"[1,\x002]",
    "no end of a string": b'"abc',
    "an escape at the end": b'"abc\\',
    "an unknown escape": b'"\\x41"',
    "an escape too short": b'"\\u12"',
    "an escape of letters": b'"\\u12g4"',
    "upper case": b"TRUE",
    "half a word": b"tru",
    "a word and more": b"truex",
    "no-break space": b"\xc2\xa01",
    "surrogates in UTF-8": b'"\xed\xa0\x80"',
}


def python_reads(body: bytes) -> Any:
    try:
        return {"valid": True, "content": client._read_json(Response(200, {}, body, ""))}
    except client.UnusableError:
        return {"valid": False}


@pytest.mark.parametrize("name", JSON)
def test_json_is_read_alike(core: Core, name: str) -> None:
    found = core("json", body=encoded(JSON[name]))
    expected = python_reads(JSON[name])
    assert found["valid"] == expected["valid"]
    assert found.get("content") == expected.get("content")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES, st.booleans())
@shared
def test_any_json(core: Core, value: Any, ascii_only: bool) -> None:
    found = core("json", body=encoded(json.dumps(value, ensure_ascii=ascii_only).encode()))
    assert comparable(found) == comparable({"valid": True, "content": value})


@given(VALUES, st.integers(0, 200), st.sampled_from(list('[]{},:"\\ e1-0.ntu')))
@shared
def test_any_json_with_a_wrong_character(core: Core, value: Any, position: int, character: str) -> None:
    text = json.dumps(value)
    at = position % (len(text) + 1)
    body = (text[:at] + character + text[at + 1 :]).encode()
    expected = python_reads(body)
    if expected["valid"] and not fits(expected["content"]):
        return
    found = core("json", body=encoded(body))
    assert found["valid"] == expected["valid"]
    assert comparable(found.get("content")) == comparable(expected.get("content"))


def fits(value: Any) -> bool:
    """Whole numbers of more than 64 bits are the one thing that the C# core rounds."""
    if isinstance(value, (dict, list)):
        return all(map(fits, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


# --- retry and versions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "headers", "body", "root", "outcome"), ANSWERS)
def test_answers_are_classified_alike(
    core: Core, status: int, headers: dict[str, str], body: bytes, root: bool, outcome: str
) -> None:
    response = {"status": status, "headers": headers, "body": encoded(body)}
    assert core("classify", response=response, root=root) == outcome


# An HTML page is known by its first 256 bytes, a version error by its first 1024.
PAGES = [
    blanks + page
    for blanks in (b"", b" \t\r\n\x0b\x0c", b" " * 250, b" " * 1000, b" " * 1020)
    for page in (b"<HTML>", b"<!DOCTYPE html>", b"{} newest-versions", b"Required metadata header not specified")
]
LATIN = st.text(st.characters(max_codepoint=0xFF), max_size=20)


@given(
    st.integers(100, 999),
    st.dictionaries(st.sampled_from(["server", "via", "location", "content-type", "x"]), LATIN),
    st.binary(max_size=80) | st.sampled_from([answer[2] for answer in ANSWERS]) | st.sampled_from(PAGES),
    st.booleans(),
)
@shared
def test_any_answer_is_classified_alike(core: Core, status: int, headers: Any, body: bytes, root: bool) -> None:
    response = {"status": status, "headers": headers, "body": encoded(body)}
    assert core("classify", response=response, root=root) == retry.classify(Response(status, headers, body, ""), root)


RETRY_AFTER = [None, "", "0", "7", "120", "9" * 400, "-1", "1.5", "\xb2", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"]


@pytest.mark.parametrize("outcome", WAITS)
def test_waits_are_alike(core: Core, outcome: str) -> None:
    for tries in range(1, 10):
        for chance in (0.0, 0.5, 1.0):
            for header in RETRY_AFTER:
                found = core("wait", outcome=outcome, tries=tries, retry_after=header, chance=chance)
                expected = retry.wait(outcome, tries, header, chance)
                assert (float("inf") if found == "infinity" else found) == expected


NEWEST = [
    b'{"newest-versions":["2020-07-15","2020-10-01"]}',
    b'{"newest-versions":["2020-07-15",7,null,["2020-10-01"],"x","2020-07-15-preview"]}',
    b'{"newest-versions":"2020-07-15"}',
    b'{"newest-versions":{"2020-07-15":1}}',
    b'{"newest-versions":null}',
    b'{"error":"x"}',
    b'["newest-versions"]',
    b'"newest-versions"',
    b"newest-versions",
    b"\xff\xfe",
    b"[" * 100_000,
    b"",
]


@pytest.mark.parametrize("body", NEWEST, ids=lambda body: str(body[:40]))
def test_newest_versions(core: Core, body: bytes) -> None:
    assert core("newest_versions", body=encoded(body)) == retry.newest_versions(body)


SOME_VERSIONS = st.sampled_from([*versions.INSTANCE, "2030-01-01", "2000-01-01", "x", ""])


@given(SOME_VERSIONS, st.lists(SOME_VERSIONS, max_size=4), SOME_VERSIONS)
@shared
def test_the_next_older_version_is_alike(core: Core, refused: str, offered: list[str], since: str) -> None:
    found = core("step_down", refused=refused, offered=offered, since=since)
    assert found == versions.step_down(refused, offered, since)


# --- options and paths ----------------------------------------------------------------------------------------------


def python_settings(params: Any) -> Any:
    try:
        found = options.settings(params)
    except options.OptionError as error:
        return {"error": str(error)}
    return {"settings": {**vars(found), "address": list(found.address), "loopback": found.loopback}}


ENDPOINTS = [
    "http://169.254.169.254",
    "http://169.254.169.254/",
    "http://169.254.169.254:80",
    "http://127.0.0.1:8169",
    "http://localhost:65535",
    "http://[::1]:8169",
    "http://10.0.0.1",
    "http://169.254.169.254:8080",
    "http://[fd00::1]:80",
    "http://0.0.0.0",
    "169.254.169.254",
    "https://169.254.169.254",
    "HTTP://169.254.169.254",
    "http://",
    "http:///",
    "http://127.0.0.1:",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
    "http://127.0.0.1:123456",
    "http://127.0.0.1:-1",
    "http://127.0.0.1:8\uff10",
    "http://127.0.0.1/metadata",
    "http://127.0.0.1//",
    "http://127.0.0.1?x=y",
    "http://user@127.0.0.1",
    "http://127.0.0.1:80@10.0.0.1",
    "http://127.0.0.1.",
    "http://127.1",
    "http://127.0.0.256",
    "http://127.0.0.01",
    "http://1270.0.0.1",
    "http://0x7f.0.0.1",
    "http://metadata",
    "http://\xe9.example",
    "http://::1",
    "http://[::1",
    "http://[127.0.0.1]",
    "http://[::1%25lo]",
    "http://[fe80::1%eth0]:80",
    "http://[:::1]",
    "http://[1:2]",
    "http://[::ffff:127.0.0.1]",
    "http://[12345::]",
    "http://127.0.0.1\n",
    "http://127.0.0.1\x00",
    " http://127.0.0.1",
    "http://it's",
    'http://"',
    "http://'\"\\",
    "",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("detect", ["auto", "force"])
def test_endpoints_are_taken_apart_alike(core: Core, endpoint: str, detect: str) -> None:
    params = {"endpoint": endpoint, "detect": detect}
    assert core("settings", params=params) == python_settings(params)


@pytest.mark.parametrize(
    "version", ["2017-03-01", "2099-12-31", "", "latest", "2025-13-01", "2025-01-32", "it's", "\n"]
)
def test_api_versions(core: Core, version: str) -> None:
    assert core("settings", params={"api_version": version}) == python_settings({"api_version": version})


@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "timeout", "updating_timeout"])
@pytest.mark.parametrize("value", [0.0, -0.5, -1, 0, 3600.5, 1e-9, 1e300, 0.001, 3600.0, 5, "5", "soon", ""])
def test_times_have_the_same_limits(core: Core, name: str, value: Any) -> None:
    assert core("settings", params={name: value}) == python_settings({name: value})


def test_settings_are_read_alike(core: Core) -> None:
    params = {
        "endpoint": "http://127.0.0.1:8169",
        "api_version": "2021-12-13",
        "detect": "force",
        "chassis_asset_tag": "x",
        "connect_timeout": 0.1,
        "include_user_data": True,
        "include_public_keys": True,
        "load_balancer": True,
        "required": True,
        "path": "versions",
    }
    assert core("settings", params=params) == python_settings(params)
    nothing = dict.fromkeys(params)
    assert core("settings", params=nothing) == core("settings", params={}) == python_settings({})


PATHS = [
    *("instance", "/instance/", "versions", "loadbalancer", "attested/document", "instance/compute/tagsList/0/name"),
    *(
        "instance/compute/zone",
        "instance/network/interface/1/macAddress",
        "instance/compute/plan",
        "instance/compute/0",
    ),
    *("", "/", "instance//compute", "..", "instance/../identity/oauth2/token", "instance?x=y", "instance compute"),
    *("instance\n", "instance\\compute", "instance/%2e", "identity/oauth2/token", "IDENTITY", "scheduledevents"),
    *(
        "Instance",
        "attested",
        "attested/document/x",
        "versions/x",
        "instance/grö\xdfe",
        "it's",
        "instance/\x00",
        "\u2028",
    ),
]


def python_path(text: str) -> Any:
    try:
        return {"path": list(vars(paths.path(text)).values())}
    except options.OptionError as error:
        return {"error": str(error)}


@pytest.mark.parametrize("text", PATHS)
def test_paths_are_checked_alike(core: Core, text: str) -> None:
    assert core("path", text=text) == python_path(text)


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=20) | st.from_regex("[a-z/]{0,12}", fullmatch=True))
@shared
def test_any_path(core: Core, text: str) -> None:
    assert core("path", text=text) == python_path(text)


def python_nonce(text: str) -> Any:
    try:
        return {"nonce": options.nonce(text)}
    except options.OptionError as error:
        return {"error": str(error)}


NONCES = ["0123456789abcdefABCDEF-_", "x" * 32, "x" * 33, "", "a&b=c", "a b", "a\r\nb", "a\n", "\xe9", "\uff10", "it's"]


@pytest.mark.parametrize("text", NONCES)
def test_nonces_are_checked_alike(core: Core, text: str) -> None:
    assert core("nonce", text=text) == python_nonce(text)


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=34) | st.from_regex("[A-Za-z0-9_-]{0,34}", fullmatch=True))
@shared
def test_any_nonce(core: Core, text: str) -> None:
    assert core("nonce", text=text) == python_nonce(text)


# --- words ----------------------------------------------------------------------------------------------------------


PRINTED = [
    "",
    "plain",
    "größer 田中 \U0001f600",
    "\x1b[2J",
    "\x9b",
    "\u202e",
    "a\\b",
    "\r\n\t\x00\x7f",
    "\xa0\u2028",
    "\U000e0041",
]


@pytest.mark.parametrize("text", PRINTED)
def test_printable(core: Core, text: str) -> None:
    assert core("printable", text=text) == reasons.printable(text)


@pytest.mark.parametrize(
    "value", ["a", "it's", '"', "'\"", "\\", "\n\t\r\x00\x7f\xa0", "ü\U0001f600", 1, 1.5, 3.0, 1e300, 0.1]
)
def test_values_are_quoted_as_python_does(core: Core, value: Any) -> None:
    assert core("quote", value=value) == repr(value)


@pytest.mark.parametrize("value", [0.1, 0.3, 2.0, 9.98, 10, 30, 99.99, 1000, 3600, 0.00001, 123456.0, 12345.678])
def test_numbers_are_written_as_python_does(core: Core, value: float) -> None:
    assert core("number", value=value, digits=3) == f"{value:.3g}"
    assert core("number", value=value, digits=6) == f"{value:g}"


@pytest.mark.parametrize("value", [0.1, 0.3, 2.5, 30.5, 1.7, 3599.9])
def test_ansibles_floats_of_4_bytes_are_what_they_were_meant_to_be(core: Core, value: float) -> None:
    assert core("single", value=value) == value


def test_a_key_in_the_facts_has_the_fingerprint_that_ssh_keygen_prints(core: Core) -> None:
    both_build(core, {"compute": {"publicKeys": [{"keyData": KEY, "path": "x"}, {"keyData": "ssh-rsa ???"}, {}]}})
