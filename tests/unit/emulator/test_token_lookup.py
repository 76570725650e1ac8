# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup imds.azure.token against the emulator: tokens, what is kept, and how it fails."""

from __future__ import annotations

import base64
import json
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.imds.azure.plugins.lookup import token as lookup
from ansible_collections.imds.azure.plugins.module_utils._identity import arc
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start

VAULT = "https://vault.azure.net"


class Clock:
    """Unix seconds that a test moves forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One emulator for the whole file: the keys of its CA take a while."""
    keys = tmp_path_factory.mktemp("arc") / "tokens"
    with start(ca_directory=tmp_path_factory.mktemp("ca"), arc_tokens=keys, with_arc=True) as started:
        yield started


@pytest.fixture(name="imds")
def _imds(shared: Running) -> Running:
    identity = {"system_assigned": True, "user_assigned": ["id-web"]}
    assert shared.control("PUT", "/vms", [{"name": "vm1", "identity": identity}])[0] == 200
    shared.control("DELETE", "/requests")
    return shared


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A process that has kept nothing, with a proxy in its environment that would swallow everything."""
    clock = Clock()
    monkeypatch.setattr(lookup, "KEPT", lookup.Kept(clock))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return clock


@pytest.fixture(name="look_up")
def _look_up(imds: Running) -> Callable[..., list[str]]:
    """The lookup as a template calls it, on an Azure VM whose IMDS is the emulator."""

    def look_up(*terms: Any, **given: Any) -> list[str]:
        plugin = lookup.LookupModule()
        plugin.set_options = lambda **_options: None
        plugin.get_options = lambda: {"endpoint": imds.url, "detect": "force", **given}
        return list(plugin.run(list(terms)))

    return look_up


def claims(token: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "===")))


def asked(imds: Running) -> list[str]:
    """The paths that were asked for."""
    return [request["path"] for request in imds.requests()]


def test_a_token_for_each_term(look_up: Any, imds: Running) -> None:
    tokens = look_up(VAULT, "arm", "https://storage.azure.com/.default")
    assert [claims(token)["aud"] for token in tokens] == [
        VAULT,
        "https://management.azure.com/",
        "https://storage.azure.com",
    ]
    assert asked(imds).count("/metadata/identity/oauth2/token") == 3


def test_a_token_of_a_certain_identity(look_up: Any, imds: Running) -> None:
    (identity,) = (each for each in imds.control("GET", "/identities/vm1")[1]["identities"] if each["name"] == "id-web")
    for name, value in (("client_id", "client_id"), ("object_id", "object_id"), ("msi_res_id", "resource_id")):
        (token,) = look_up(VAULT, **{name: identity[value]})
        assert claims(token)["appid"] == identity["client_id"]
    assert claims(look_up(VAULT)[0])["appid"] != identity["client_id"]


def test_a_token_is_kept_until_it_is_about_to_expire(look_up: Any, imds: Running, clock: Clock) -> None:
    (first,) = look_up(VAULT)
    assert look_up(VAULT, VAULT) == [first, first]
    clock.ahead = 86400 - 310
    assert look_up(VAULT) == [first]
    assert len(asked(imds)) == 1
    clock.ahead = 86400 - 290
    look_up(VAULT)
    assert len(asked(imds)) == 2


def test_what_is_kept_is_for_one_purpose_only(look_up: Any, imds: Running) -> None:
    own, user = (each["client_id"] for each in imds.control("GET", "/identities/vm1")[1]["identities"])
    for given in ({}, {"client_id": own}, {"client_id": user}, {"client_id": user.upper()}, {"detect": "auto"}):
        look_up(VAULT, **given, chassis_asset_tag="7783-7084-3265-9085-8269-3286-77")
    assert len(asked(imds)) == 4


def test_a_fresh_token_replaces_the_one_that_is_kept(look_up: Any) -> None:
    (first,) = look_up(VAULT)
    (second,) = look_up(VAULT, bypass_cache=True)
    assert first != second
    assert look_up(VAULT) == [second]


def failure(look_up: Any, *terms: Any, **given: Any) -> str:
    """The message, after making sure that no token is in it or in what led to it."""
    with pytest.raises(AnsibleLookupError) as caught:
        look_up(*terms, **given)
    told = "".join(traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__))
    assert "eyJ" not in told
    return str(caught.value)


@pytest.mark.parametrize(
    ("terms", "given", "words"),
    [
        ((), {}, "name what the token is for"),
        ((5,), {}, "not int"),
        (("nonsense",), {}, "resource: "),
        ((VAULT,), {"client_id": "x"}, "client_id: "),
        ((VAULT,), {"client_id": "0" * 8, "object_id": "1"}, "only one can name"),
        ((VAULT,), {"identity_wait": 200}, "identity_wait: "),
        ((VAULT,), {"endpoint": "http://imds"}, "endpoint: "),
        ((VAULT,), {"client_id": "00000000-0000-4000-8000-000000000009"}, "(reason: identity_unknown)"),
        (("https://a.example/.default/.default",), {}, "(reason: resource_unknown)"),
    ],
)
def test_failures_name_the_reason(look_up: Any, terms: tuple[Any, ...], given: Any, words: str) -> None:
    message = failure(look_up, *terms, **given)
    assert message.startswith("imds.azure.token: ")
    assert words in message


def test_a_failure_is_not_kept(look_up: Any, imds: Running) -> None:
    imds.control("PUT", "/identities/vm1", {})
    assert "(reason: no_identity)" in failure(look_up, VAULT)
    imds.control("POST", "/identities/vm1", "id-web")
    assert claims(look_up(VAULT)[0])["xms_mirid"].endswith("/id-web")


def test_elsewhere_nothing_is_sent(look_up: Any, imds: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {"detect": "auto", "chassis_asset_tag": "Standard PC"}
    assert "(reason: not_azure)" in failure(look_up, VAULT, **elsewhere)
    monkeypatch.setenv("MSI_ENDPOINT", "http://127.0.0.1:1")
    assert "Azure Cloud Shell" in failure(look_up, "arm", **elsewhere)
    assert asked(imds) == []


@pytest.mark.parametrize("term", [VAULT, "vault"])
def test_where_nobody_answers_it_asks_once(look_up: Any, monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    """Not even a wait of a second: the clock of the client would show it."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("waited"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        message = failure(look_up, term, endpoint=f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert "(reason: refused)" in message


def test_an_arc_machine_is_asked_through_its_agent(
    look_up: Any, imds: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = {"name": "server1", "arc": True, "identity": {"system_assigned": True}}
    assert imds.control("PUT", "/vms", [machine])[0] == 200
    agent = f"http://localhost:{imds.arc_address[1]}"
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{agent}/metadata/identity/oauth2/token")
    monkeypatch.setenv("IMDS_ENDPOINT", agent)
    monkeypatch.setattr(arc, "KEYS", str(imds.emulator.arc_keys.directory))
    elsewhere = {"detect": "auto", "chassis_asset_tag": "Standard PC"}
    (token,) = look_up("vault", **elsewhere)
    assert claims(token)["xms_mirid"].endswith("/machines/server1")
    client_id = claims(token)["appid"]
    assert "client_id: an Azure Arc machine" in failure(look_up, VAULT, client_id=client_id, **elsewhere)
    assert "(reason: not_azure)" in failure(look_up, VAULT, arc="never", **elsewhere)
    monkeypatch.setattr(arc, "KEYS", str(tmp_path))
    assert "(reason: intercepted)" in failure(look_up, "https://storage.azure.com/", **elsewhere)
