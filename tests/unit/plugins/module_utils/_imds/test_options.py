# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings, settings
from ansible_collections.imds.azure.plugins.module_utils._imds.paths import path
from hypothesis import given
from hypothesis import strategies as st

TIMES = ["connect_timeout", "read_timeout", "timeout", "updating_timeout"]


def test_unset_options_have_the_defaults() -> None:
    assert vars(settings({})) == vars(Settings())
    assert vars(settings({"endpoint": None, "api_version": None, "timeout": None})) == vars(Settings())
    assert vars(settings({"endpoint": ""})) == vars(Settings())


def test_parameters_that_are_no_settings_are_left_out() -> None:
    assert vars(settings({"required": True, "path": "instance", "address": None})) == vars(Settings())


def test_every_option_reaches_the_settings() -> None:
    given: dict[str, Any] = {
        "api_version": "2021-12-13",
        "detect": "force",
        "chassis_asset_tag": "x",
        **dict.fromkeys(TIMES, 7.5),
        "include_user_data": True,
        "include_public_keys": True,
        "load_balancer": True,
    }
    found = settings({"endpoint": "http://127.0.0.1:8169", **given})
    assert vars(found) == {"address": ("127.0.0.1", 8169), **given}


@pytest.mark.parametrize(
    ("endpoint", "address", "loopback"),
    [
        ("http://169.254.169.254", ("169.254.169.254", 80), False),
        ("http://169.254.169.254/", ("169.254.169.254", 80), False),
        ("http://169.254.169.254:80", ("169.254.169.254", 80), False),
        ("http://127.0.0.1:8169", ("127.0.0.1", 8169), True),
        ("http://127.1.2.3:1/", ("127.1.2.3", 1), True),
        ("http://localhost:65535", ("127.0.0.1", 65535), True),
        ("http://[::1]:8169", ("::1", 8169), True),
    ],
)
def test_endpoints_are_taken_apart(endpoint: str, address: tuple[str, int], loopback: bool) -> None:
    found = settings({"endpoint": endpoint})
    assert (found.address, found.loopback) == (address, loopback)


@pytest.mark.parametrize("version", ["2017-03-01", "2025-07-24", "2099-12-31"])
def test_any_date_may_be_an_api_version(version: str) -> None:
    assert settings({"api_version": version}).api_version == version


@pytest.mark.parametrize(
    "version",
    ["", "latest", "2025", "2025-4-7", "2025-13-01", "2025-00-10", "2025-01-32", "2025-04-07 ", "2025-04-07&x=1"],
)
def test_anything_else_may_not(version: str) -> None:
    with pytest.raises(OptionError, match=r"^api_version: .* is not a date such as 2025-04-07$"):
        settings({"api_version": version})


ELSEWHERE = [
    "http://10.0.0.1",
    "http://169.254.169.254:8080",
    "http://[fd00::1]:80",
    "http://169.254.169.253",
    "http://0.0.0.0",
]


@pytest.mark.parametrize("endpoint", ELSEWHERE)
def test_an_endpoint_elsewhere_must_be_meant(endpoint: str) -> None:
    with pytest.raises(OptionError, match=r"^endpoint: .*detect.*force") as caught:
        settings({"endpoint": endpoint})
    assert caught.value.option == "endpoint"
    assert not settings({"endpoint": endpoint, "detect": "force"}).loopback


@pytest.mark.parametrize(
    "endpoint",
    [
        "169.254.169.254",
        "https://169.254.169.254",
        "HTTP://169.254.169.254",
        "ftp://127.0.0.1",
        "http://",
        "http:///",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:123456",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:x",
        "http://127.0.0.1:8\uff10",  # a full-width digit
        "http://127.0.0.1/metadata",
        "http://127.0.0.1//",
        "http://127.0.0.1?x=y",
        "http://127.0.0.1#x",
        "http://127.0.0.1\r\nX-Evil: 1",
        "http://127.0.0.1\n",
        "http://127.0.0.1\x00",
        " http://127.0.0.1",
        "http://127.0.0.1 ",
        "http://user@127.0.0.1",
        "http://user:password@127.0.0.1",
        "http://127.0.0.1:80@10.0.0.1",
        "http://127.0.0.1.",
        "http://127.1",
        "http://127.0.0.256",
        "http://127.0.0.1.example.org",
        "http://0x7f.0.0.1",
        "http://metadata",
        "http://metadata.azure.internal",
        "http://\xe9.example",
        "http://\ud800",
        "http://::1",
        "http://[::1",
        "http://[127.0.0.1]",
        "http://[::1%25lo]",
        "http://[fe80::1%eth0]:80",
    ],
)
def test_endpoints_that_are_none(endpoint: str) -> None:
    with pytest.raises(OptionError, match=r"^endpoint: ") as caught:
        settings({"endpoint": endpoint, "detect": "force"})
    assert caught.value.option == "endpoint"


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    "value", [0.0, -0.5, -1, 0, 3600.5, float("inf"), float("-inf"), float("nan"), "soon", 10**400, [], {}]
)
def test_times_that_are_none(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=rf"^{name}: .*3600") as caught:
        settings({name: value})
    assert caught.value.option == name


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(("value", "seconds"), [(0.001, 0.001), (3600.0, 3600.0), (5, 5.0), ("5", 5.0)])
def test_times_have_limits(name: str, value: Any, seconds: float) -> None:
    assert getattr(settings({name: value}), name) == seconds


@given(st.text() | st.from_regex(r"http://[0-9.:\[\]a-f/@?]{0,20}", fullmatch=True))
def test_any_endpoint_is_an_address_or_an_error(endpoint: str) -> None:
    try:
        host, port = settings({"endpoint": endpoint, "detect": "force"}).address
    except OptionError:
        return
    assert set(host) <= set("0123456789abcdefABCDEF.:")
    assert 0 < port < 65536


# --- paths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "whole", "root"),
    [
        ("instance", "instance", True),
        ("/instance/", "instance", True),
        ("versions", "versions", True),
        ("loadbalancer", "loadbalancer", False),
        ("attested/document", "attested/document", True),
        ("instance/compute", "instance/compute", False),
        ("instance/compute/", "instance/compute", False),
        ("instance/network/interface/0/ipv4/ipAddress/0/privateIpAddress",) * 2 + (False,),
        ("instance/compute/tagsList/0/name", "instance/compute/tagsList/0/name", False),
    ],
)
def test_documented_paths_are_accepted(text: str, whole: str, root: bool) -> None:
    found = path(text)
    assert (found.path, found.root) == (whole, root)
    assert bool(found.since) == (whole != "versions")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "instance//compute",
        # traversal
        "..",
        "instance/..",
        "instance/../identity/oauth2/token",
        "instance/./compute",
        "instance/.../compute",
        # query, fragment and encoding
        "instance?api-version=2017-04-02",
        "instance&x=y",
        "instance#x",
        "instance/compute;x=y",
        "instance/%2e%2e/identity",
        "instance%2fcompute",
        "instance/compute%00",
        "instance/+compute",
        # white space and control characters
        "instance compute",
        " instance",
        "instance\n",
        "instance/compute HTTP/1.1\r\nX-Forwarded-For: 1",
        "instance/\x00",
        # backslashes, schemes, hosts
        "instance\\compute",
        "instance\\..\\identity",
        "//169.254.169.254/metadata/instance",
        "http://169.254.169.254/metadata/instance",
        "instance@example.org",
        # letters that only look right
        "ins\u0442ance",
        "instance/\uff11",
        "instance/\xb2",
        # not documented, or not as a whole
        "metadata/instance",
        "Instance",
        "attested",
        "attested/document/signature",
        "versions/0",
        "loadbalancer/publicIpAddresses",
        "scheduledevents",
        "latest/meta-data",
        "THIM/amd/certification",
        "reprovisiondata",
    ],
)
def test_paths_that_are_none(text: str) -> None:
    with pytest.raises(OptionError, match=r"^path: ") as caught:
        path(text)
    assert caught.value.option == "path"


@pytest.mark.parametrize("word", ["identity", "Identity", "IDENTITY", "/identity/", "iDentity"])
@pytest.mark.parametrize("rest", ["", "/oauth2/token", "/info", "/getplatformmetadata"])
def test_identity_is_refused_by_name(word: str, rest: str) -> None:
    with pytest.raises(OptionError, match=r"^path: .*secrets"):
        path(word.rstrip("/") + rest)


@given(st.text() | st.from_regex(r"instance(/[A-Za-z0-9._%/\\?-]{0,8}){0,4}", fullmatch=True))
def test_any_path_is_harmless_or_refused(text: str) -> None:
    try:
        found = path(text).path
    except OptionError:
        return
    assert found.startswith(("instance", "versions", "loadbalancer", "attested/document"))
    assert set(found) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_-")
    assert "//" not in found
