# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/attested/document over real sockets: what it states, what it refuses, and the CA's certificates."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scenarios.running_emulator import NEWEST, Connection, Reply, Running, start
from azure_imds_emulator import attested_spec, vms
from azure_imds_emulator.attestation import authority, rsa
from azure_imds_emulator.checks import InvalidInputError

PATH = "/metadata/attested/document"
FILES = str(Path(vms.__file__).parents[1])
NONCE = "0123456789abcdefABCDEF0123456789"
CA_FILE = "/pkiops/certs/Azure%20IMDS%20Emulator%20RSA%20CA%2002.crt"


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One emulator for the whole file: the keys of its CA take a while."""
    with start(ca_directory=tmp_path_factory.mktemp("ca")) as started:
        yield started


@pytest.fixture(name="attesting")
def _attesting(shared: Running) -> Running:
    """The shared emulator with its default VM."""
    assert shared.control("PUT", "/vms", vms.DEFAULT_VMS)[0] == 200
    return shared


def get(imds: Running, version: str = NEWEST, more: str = "", source: str = "") -> Reply:
    return imds.get(f"{PATH}?api-version={version}{more}", source)


def blob(reply: Reply) -> bytes:
    answer = reply.json()
    assert list(answer) == ["encoding", "signature"]
    assert answer["encoding"] == "pkcs7"
    return base64.b64decode(answer["signature"], validate=True)


def stated(reply: Reply) -> bytes:
    """The signed JSON: the only braces in the document."""
    found = re.search(rb'\{"[ -~]*"\}', blob(reply))
    assert found is not None
    return found[0]


def document(*args: Any, **kwargs: Any) -> Any:
    return json.loads(stated(get(*args, **kwargs)))


def seconds(stamp: str) -> float:
    moment = re.fullmatch(r"(\d\d/\d\d/\d\d \d\d:\d\d:\d\d) -0000", stamp)
    assert moment is not None
    return time.mktime(time.strptime(moment[1], "%m/%d/%y %H:%M:%S")) - time.timezone


FIRST = {"nonce", "plan", "timeStamp", "vmId"}


@pytest.mark.parametrize(
    ("versions", "fields"),
    [
        (("2018-10-01", "2019-02-01", "2019-03-11"), FIRST),
        (("2019-04-30", "2019-06-01", "2019-08-15"), FIRST | {"subscriptionId"}),
        (("2019-11-01", "2020-06-01", "2020-07-15"), FIRST | {"subscriptionId", "sku"}),
        (("2020-09-01", "2021-12-13", "2025-04-07"), FIRST | {"subscriptionId", "sku", "licenseType"}),
    ],
)
def test_fields_of_each_version(attesting: Any, versions: tuple[str, ...], fields: set[str]) -> None:
    for version in versions:
        assert set(document(attesting, version)) == fields


def test_versions_without_attested_documents(attesting: Any) -> None:
    for version in ("2017-03-01", "2018-04-02"):
        assert get(attesting, version).status == 404
    for version in ("2018-10-02", "", "latest"):
        reply = get(attesting, version)
        assert (reply.status, len(reply.json()["newest-versions"])) == (400, 3)


def test_every_version_of_the_service_answers(attesting: Any) -> None:
    versions = attesting.get("/metadata/versions").json()["apiVersions"]
    assert [version for version in versions if get(attesting, version).status == 200] == [
        version for version in versions if version >= "2018-10-01"
    ]


def test_it_says_what_the_instance_document_says(attesting: Any) -> None:
    attesting.control(
        "PUT", "/vms", [{"name": "w", "profile": "windows", "overrides": {"compute": {"plan": {"name": "p"}}}}]
    )
    compute = attesting.instance("/compute").json()
    found = document(attesting)
    assert found["licenseType"] == "Windows_Server"
    assert found["plan"]["name"] == "p"
    for name in ("licenseType", "plan", "sku", "subscriptionId", "vmId"):
        assert found[name] == compute[name]


def test_form_of_the_json(attesting: Any) -> None:
    text = stated(get(attesting, more=f"&nonce={NONCE}"))
    assert text == json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True).encode()
    assert text.startswith(b'{"licenseType":"","nonce":"' + NONCE.encode() + b'","plan":{"name":"","product":""')


def test_values_that_are_missing_are_empty(attesting: Any) -> None:
    attesting.control(
        "PUT", "/vms", [{"name": "w", "overrides": {"compute": {"plan": None, "sku": 5, "licenseType": None}}}]
    )
    found = document(attesting)
    assert (found["plan"], found["sku"], found["licenseType"]) == (
        {"name": "", "product": "", "publisher": ""},
        "",
        "",
    )


def test_attested_times_span_six_hours(attesting: Any) -> None:
    before = int(time.time())
    times = document(attesting)["timeStamp"]
    assert before <= seconds(times["createdOn"]) <= time.time()
    assert seconds(times["expiresOn"]) == seconds(times["createdOn"]) + 6 * 3600


@pytest.mark.parametrize("more", ["", "&nonce="])
def test_without_a_nonce_it_is_the_time_of_expiry(attesting: Any, more: str) -> None:
    found = document(attesting, more=more)
    month, day, year, clock = re.split("[/ ]", found["timeStamp"]["expiresOn"])[:4]
    assert found["nonce"] == f"20{year}{month}{day}-{clock.replace(':', '')}"


@pytest.mark.parametrize("nonce", ["1", "1234567890", NONCE, "a_b-c"])
def test_a_nonce_comes_back_in_the_document(attesting: Any, nonce: str) -> None:
    assert document(attesting, more=f"&nonce={nonce}")["nonce"] == nonce


@pytest.mark.parametrize("nonce", [NONCE + "0", "a+b", "a%22", "%C3%A9", "%0A", "a%0A", "%D9%A3", "a.b"])
def test_bad_nonce(attesting: Any, nonce: str) -> None:
    reply = get(attesting, more=f"&nonce={nonce}")
    assert (reply.status, reply.body) == (400, b'{ "error": "Bad request" }')


@pytest.mark.parametrize("route", ["", "/", "/signature", "/document/nonce"])
def test_there_is_nothing_else(attesting: Any, route: str) -> None:
    assert attesting.get(f"/metadata/attested{route}?api-version={NEWEST}").status == 404


def test_rules_of_all_endpoints_hold(attesting: Any) -> None:
    assert attesting.get(f"/Metadata/Attested/DOCUMENT/?api-version={NEWEST}").status == 200
    assert attesting.get(f"{PATH}?api-version={NEWEST}", Metadata="false").status == 400
    assert attesting.get(f"{PATH}?api-version={NEWEST}", method="POST").status == 405
    assert get(attesting, more="&nonce=1&nonce=2").status == 400
    assert get(attesting).header("Content-Type") == "application/json; charset=utf-8"


def test_a_classic_vm_says_who_it_is_and_no_more(attesting: Any) -> None:
    attesting.control(
        "PUT", "/vms", [{"name": "old", "profile": "windows", "classic": True}, {"name": "new", "sources": ["::1"]}]
    )
    found = document(attesting, more="&nonce=1")
    assert found["vmId"] == vms.build({"name": "old"}).document["compute"]["vmId"]
    assert found["nonce"] == "1"
    rest = {name: value for name, value in found.items() if name not in ("vmId", "nonce", "timeStamp")}
    plan = {"name": "", "product": "", "publisher": ""}
    assert rest == {"licenseType": "", "plan": plan, "sku": "", "subscriptionId": ""}


def test_documents_are_told_apart_by_source_address(attesting: Any) -> None:
    attesting.control("PUT", "/vms", [{"name": "a", "sources": ["127.0.0.11"]}, {"name": "b"}])
    assert document(attesting, source="127.0.0.11")["vmId"] != document(attesting)["vmId"]


def test_cached_nonce(attesting: Any) -> None:
    def ask(nonce: str) -> str:
        return str(document(attesting, more=f"&nonce={nonce}" if nonce else "")["nonce"])

    assert ask("first") == "first"
    attesting.control("PUT", "/vms", [{"name": "emulated-vm", "attested": {"cached_nonce": 2}}])
    assert [ask("second"), ask(""), ask("third"), ask("fourth")] == ["first", "first", "third", "fourth"]
    attesting.control("PUT", "/vms", [{"name": "emulated-vm", "attested": {"cached_nonce": True}}])
    assert {ask(nonce) for nonce in ("a", "b", "c")} == {"fourth"}
    attesting.control("PUT", "/vms", [{"name": "another", "attested": {"cached_nonce": 1}}])
    assert re.fullmatch(r"\d{8}-\d{6}", ask("a"))
    assert ask("b") == "b"


def test_an_aged_document_is_dated_back(attesting: Any) -> None:
    attesting.control("PUT", "/vms", [{"name": "a", "attested": {"age": 100_000}}])
    before = int(time.time())
    times = document(attesting)["timeStamp"]
    assert before - 100_000 <= seconds(times["createdOn"]) <= time.time() - 100_000
    assert seconds(times["expiresOn"]) == seconds(times["createdOn"]) + 6 * 3600


def test_relayed_document_answers_the_nonce_that_was_asked_for(attesting: Any) -> None:
    honest = {"name": "honest", "sources": ["127.0.0.11"], "overrides": {"compute": {"location": "eastus"}}}
    attesting.control("PUT", "/vms", [honest, {"name": "impostor", "attested": {"relayed_from": "honest"}}])
    relayed, own = get(attesting, more="&nonce=1"), get(attesting, more="&nonce=1", source="127.0.0.11")
    assert json.loads(stated(relayed))["vmId"] == json.loads(stated(own))["vmId"]
    assert b"eastus.metadata.azure.com" in blob(relayed)


@pytest.mark.parametrize(
    ("attested", "field"),
    [
        ({"unknown": True}, "vms[0].attested.unknown"),
        ({"altered": 1}, "vms[0].attested.altered"),
        ({"age": -1}, "vms[0].attested.age"),
        ({"age": True}, "vms[0].attested.age"),
        ({"cached_nonce": "yes"}, "vms[0].attested.cached_nonce"),
        ({"relayed_from": "nobody"}, "vms[0].attested.relayed_from"),
        ("altered", "vms[0].attested"),
    ],
)
def test_bad_switches_name_the_field(attested: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        vms.Vms([{"name": "a", "attested": attested}])
    assert caught.value.field == field


def test_switches_that_are_off() -> None:
    off = {name: False for name in attested_spec.SWITCHES if name not in ("age", "relayed_from")}
    assert attested_spec.check("attested", {**off, "age": 0}) == {}
    assert vms.build({"name": "a"}).attested == {}


@pytest.mark.parametrize(
    ("environment", "domain"),
    [
        ("AzurePublicCloud", b"metadata.azure.com"),
        ("AZUREUSGOVERNMENTCLOUD", b"metadata.azure.us"),
        ("AzureChinaCloud", b"metadata.azure.cn"),
        ("AzureGermanCloud", b"metadata.microsoftazure.de"),
        ("AzureStack", b"metadata.azure.com"),
    ],
)
def test_the_certificate_is_that_of_cloud_and_region(attesting: Any, environment: str, domain: bytes) -> None:
    compute = {"azEnvironment": environment, "location": "West Region_2"}
    attesting.control("PUT", "/vms", [{"name": "a", "overrides": {"compute": compute}}])
    region = b"westregion2." + domain
    names = b"\x82" + bytes([len(region)]) + region + b"\x82" + bytes([len(domain)]) + domain
    assert names in blob(get(attesting))


def test_no_region_no_regional_name(attesting: Any) -> None:
    attesting.control("PUT", "/vms", [{"name": "a", "overrides": {"compute": {"location": ""}}}])
    assert b"\x30\x14\x82\x12metadata.azure.com" in blob(get(attesting))


@pytest.mark.parametrize("host", ["www.microsoft.com", "WWW.Microsoft.com:80", "caissuers.microsoft.com"])
def test_ca_site_on_the_port_of_imds(attesting: Any, host: str) -> None:
    for target in (CA_FILE, f"http://{host}{CA_FILE}"):
        reply = attesting.raw(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert reply is not None
        assert (reply.status, reply.header("Content-Type")) == (200, "application/pkix-cert")
        assert reply.body == attesting.emulator.authority.intermediate().encoded


def test_ca_site_knows_its_three_files_only(attesting: Any) -> None:
    found = {}
    for name in ("Root", "Untrusted Root", "Missing CA", "../Root", ""):
        target = f"/pkiops/certs/Azure IMDS Emulator {name}.crt".replace(" ", "%20")
        reply = attesting.get(target, Host="www.microsoft.com")
        found[name] = (reply.status, reply.body)
    assert [name for name, (status, _body) in found.items() if status == 200] == ["Root", "Untrusted Root"]
    assert found["Root"][1] == attesting.emulator.authority.root().encoded
    assert attesting.get(CA_FILE, Host="www.microsoft.com", method="POST").status == 404
    assert attesting.get("/", Host="www.microsoft.com").status == 404


def test_ca_site_answers_strangers_and_is_in_the_log(attesting: Any) -> None:
    attesting.control("PUT", "/vms", [{"name": "a", "sources": ["127.0.0.11"]}])
    attesting.control("DELETE", "/requests")
    assert attesting.get(CA_FILE, "127.0.0.99", Host="www.microsoft.com").status == 200
    (entry,) = attesting.requests()
    assert (entry["path"], entry["vm"], entry["status"]) == (CA_FILE, None, 200)


def test_imds_itself_has_no_such_files(attesting: Any) -> None:
    assert attesting.get(CA_FILE).status == 404


def control_reply(imds: Running, path: str) -> Reply:
    with Connection(imds.control_address) as connection:
        connection.send(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        reply = connection.reply()
    assert reply is not None
    return reply


def test_control_endpoint_shows_the_ca(attesting: Any) -> None:
    ca = attesting.emulator.authority
    for name, certificate in (("root", ca.root()), ("intermediate", ca.intermediate())):
        reply = control_reply(attesting, f"/ca/{name}.pem")
        first, *lines, last = reply.body.decode().splitlines()
        assert (first, last) == ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
        assert base64.b64decode("".join(lines), validate=True) == certificate.encoded
        assert {len(line) for line in lines[:-1]} == {64}
    assert control_reply(attesting, CA_FILE).body == ca.intermediate().encoded
    assert control_reply(attesting, "/pkiops/certs/none.crt").status == 404


def test_no_key_is_made_before_it_is_needed(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[rsa.Key] = []

    def fail() -> rsa.Key:
        made.append(rsa.Key(3, 5))
        raise AssertionError("a key is made")

    monkeypatch.setattr(rsa, "generate", fail)
    imds = start()
    for path in ("/metadata/instance", "/metadata/versions", "/metadata/attested", PATH):
        imds.get(f"{path}?api-version=1")
    imds.control("GET", "/")
    assert not made


def test_keys_are_made_once(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[rsa.Key] = []
    generate = rsa.generate

    def counted() -> rsa.Key:
        made.append(generate())
        return made[-1]

    monkeypatch.setattr(rsa, "generate", counted)
    imds = start([{"name": "a", "sources": ["127.0.0.11"]}, {"name": "b", "profile": "china"}])
    for source in ("", "127.0.0.11", ""):
        get(imds, source=source)
    assert len(made) == 3
    assert len({key.modulus for key in made}) == 3


def test_ca_directory_keeps_the_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "new" / "ca"
    first = authority.Authority(place)
    first.prepare()
    assert stat.S_IMODE((place / "ca.json").stat().st_mode) == 0o600
    assert (place / "root.pem").read_bytes() == authority.pem(first.root())
    assert (place / "intermediate.pem").read_bytes() == authority.pem(first.intermediate())
    (place / "root.pem").unlink()
    monkeypatch.setattr(rsa, "generate", None)
    second = authority.Authority(place, clock=lambda: 0.0)
    second.prepare()
    assert (second.root(), second.intermediate()) == (first.root(), first.intermediate())
    assert sorted(path.name for path in place.iterdir()) == ["ca.json", "intermediate.pem", "root.pem"]


def test_two_that_start_together_share_one_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = rsa.generate
    faster = authority.Authority(tmp_path)

    def meanwhile() -> rsa.Key:
        monkeypatch.setattr(rsa, "generate", generate)
        faster.root()
        return rsa.Key(3, 5)

    monkeypatch.setattr(rsa, "generate", meanwhile)
    slower = authority.Authority(tmp_path)
    assert slower.root() == faster.root()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"created": 1, "keys": {"root": ["a", "b"]}}'])
def test_ca_directory_with_something_else_in_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"ca\.json"):
        authority.Authority(tmp_path).prepare()


def test_command_with_a_ca_directory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "azure_imds_emulator", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
    (tmp_path / "file").touch()
    environment = {**os.environ, "PYTHONPATH": FILES, "PYTHONDONTWRITEBYTECODE": "1"}
    refused = subprocess.run(
        [*command, "--ca-directory", str(tmp_path / "file" / "ca")],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "file/ca" in refused.stderr
    with subprocess.Popen(
        [*command, "--ca-directory", str(tmp_path / "ca")], env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        root = (tmp_path / "ca" / "root.pem").read_bytes()
        with urllib.request.urlopen(f"http://{ready['control']}/ca/root.pem", timeout=10) as reply:
            assert reply.read() == root
        process.terminate()
