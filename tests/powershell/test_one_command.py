# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one command under a real PowerShell: what the C# twin finds, or a refusal; and nothing is sent off Azure."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import versions
from ansible_collections.imds.azure.plugins.module_utils._imds.options import settings
from ansible_collections.imds.azure.plugins.modules import azure_imds_facts
from ansible_collections.imds.azure.plugins.plugin_utils import _one_command_windows as one_command
from ansible_collections.imds.azure.plugins.plugin_utils import _smbios
from ansible_collections.imds.azure.plugins.plugin_utils._declined import DeclinedError
from ansible_collections.imds.azure.tests.powershell.commands import Commands, plugin
from ansible_collections.imds.azure.tests.powershell.session import Session
from ansible_collections.imds.azure.tests.powershell.shell import LEAN, pwsh
from ansible_collections.imds.azure.tests.scenarios.imds.faults import LASTING
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start
from ansible_collections.imds.azure.tests.scenarios.scripted_server import (
    ScriptedServer,
    document,
    drip,
    hold,
    reset,
    send,
)
from ansible_collections.imds.azure.tests.windows.core import comparable
from ansible_collections.imds.azure.tests.windows.firmware import AZURE, SHAPES, TAG, UUID, enclosure, system, table
from azure_imds_emulator.vms import profile_names

DEFAULTS = {name: option.get("default") for name, option in argument_spec(azure_imds_facts).items()}
REGISTRY = "[Microsoft.Win32.Registry]::GetValue($key, 'SMBiosData', $null)"
VM_ID = "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"

Ask = Callable[..., tuple[dict[str, Any], list[str]]]


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with Commands(pwsh()) as process:
        yield process


@pytest.fixture
def firmware(monkeypatch: Any, tmp_path: Path) -> Callable[[bytes], None]:
    """Have the registry hold a table."""
    text = one_command.SCRIPT.read_text()

    def feed(raw: bytes) -> None:
        assert text.count(REGISTRY) == 1
        (tmp_path / "raw").write_bytes(raw)
        fed = tmp_path / "script.ps1"
        fed.write_text(text.replace(REGISTRY, f"[IO.File]::ReadAllBytes('{tmp_path}/raw')"))
        monkeypatch.setattr(one_command, "SCRIPT", fed)

    return feed


@pytest.fixture
def ask(commands: Commands) -> Ask:
    return lambda **options: one_command.facts(plugin(commands.run), settings({**DEFAULTS, **options}))


def settled(fact: dict[str, Any]) -> Any:
    """Without what tells the two ways apart."""
    return comparable({**fact, "meta": {key: value for key, value in fact["meta"].items() if key != "delivery"}})


# --- documents ------------------------------------------------------------------------------------------------------


def same_as_the_twin(ask: Ask, session: Session, **options: Any) -> dict[str, Any]:
    fact, warnings = ask(**options)
    expected = session.run("azure_imds_facts_windows", options)
    assert settled(fact) == settled(expected["ansible_facts"]["azure_imds"])
    assert warnings == expected.get("warnings", [])
    assert fact["available"]
    assert fact["meta"]["delivery"] == "one_command"
    return fact


@pytest.mark.parametrize("profile", profile_names())
def test_every_version_of_every_profile(ask: Ask, session: Session, profile: str) -> None:
    with start([{"name": "web-1", "profile": profile, "limiter": False}]) as imds:
        asked = {"endpoint": imds.url, "detect": "force"}
        for version in versions.INSTANCE:
            assert same_as_the_twin(ask, session, api_version=version, **asked)["api_version"] == version
        secrets = {"include_user_data": True, "include_public_keys": True}
        fact = same_as_the_twin(ask, session, chassis_asset_tag="elsewhere", required=True, **secrets, **asked)
    assert fact["meta"]["detection"]["chassis_asset_tag"] == "elsewhere"


def test_what_is_not_ascii(ask: Ask, session: Session) -> None:
    tags = [{"name": "Straße", "value": "Ä €  😀"}, {"name": "quote'\"", "value": "$(y) `z`\\\n"}]
    with start([{"name": "web-ü", "limiter": False, "overrides": {"compute": {"tagsList": tags}}}]) as imds:
        fact = same_as_the_twin(ask, session, endpoint=imds.url, detect="force")
    assert fact["tags"] == {tag["name"]: tag["value"] for tag in tags}


# --- the firmware decides -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_sent_unless_the_firmware_is_an_azure_vms(ask: Ask, firmware: Any, name: str) -> None:
    raw = SHAPES[name][0] or b""
    firmware(raw)
    tag = _smbios.chassis_asset_tag(raw)
    with start([{"name": "web-1", "limiter": False, "overrides": {"compute": {"vmId": VM_ID}}}]) as imds:
        if tag is None:
            with pytest.raises(DeclinedError, match="firmware"):
                ask(endpoint=imds.url)
        else:
            fact, _warnings = ask(endpoint=imds.url)
            assert fact["reason"] == ("ok" if tag == TAG.decode() else "not_azure")
            assert fact["meta"]["detection"]["chassis_asset_tag"] == (tag or None)
            assert fact["meta"]["requests"] == len(imds.requests())
        assert len(imds.requests()) == (tag == TAG.decode())


def test_a_tag_that_is_known_decides_instead(ask: Ask, firmware: Any, session: Session) -> None:
    with start([{"name": "web-1", "limiter": False}]) as imds:
        firmware(AZURE)
        fact, _warnings = ask(endpoint=imds.url, chassis_asset_tag="elsewhere")
        expected = session.run("azure_imds_facts_windows", {"endpoint": imds.url, "chassis_asset_tag": "elsewhere"})
        assert settled(fact) == settled(expected["ansible_facts"]["azure_imds"])
        assert fact["reason"] == "not_azure"
        assert imds.requests() == []
        firmware(table(enclosure(b"elsewhere")))
        fact, _warnings = ask(endpoint=imds.url, chassis_asset_tag=TAG.decode())
        assert fact["available"]


def test_another_machines_answer_is_declined(ask: Ask, firmware: Any) -> None:
    firmware(table(system(UUID[::-1]), enclosure(TAG)))
    with start([{"name": "web-1", "limiter": False, "overrides": {"compute": {"vmId": VM_ID}}}]) as imds:
        with pytest.raises(DeclinedError, match="asked again"):
            ask(endpoint=imds.url)
        assert ask(endpoint=imds.url, detect="force")[0]["available"]


def test_off_windows_there_is_no_registry(ask: Ask) -> None:
    with start([{"name": "web-1"}]) as imds:
        with pytest.raises(DeclinedError, match="firmware"):
            ask(endpoint=imds.url)
        assert imds.requests() == []


# --- anything but a clean 200 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LASTING)
def test_faults_are_declined_after_one_request(ask: Ask, name: str) -> None:
    fault, reason = LASTING[name]
    with start([{"name": "web-1", "limiter": False}]) as imds:
        imds.fault(path="/metadata/instance", **fault)
        slow = {"read_timeout": 0.3} if reason == "read_timeout" else {}
        with pytest.raises(DeclinedError):
            ask(endpoint=imds.url, detect="force", **slow)
        assert len(imds.requests()) <= 1


def test_nobody_listens(ask: Ask) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        with pytest.raises(DeclinedError, match="no answer"):
            ask(endpoint=f"http://127.0.0.1:{port}", detect="force")


WHOLE = document({"compute": {"name": "web-1", "vmId": VM_ID}})


@pytest.mark.parametrize(
    ("step", "usable"),
    [
        (send(WHOLE), True),
        (hold(WHOLE), True),  # the length that is announced is the end
        (drip(WHOLE, 0.0005), True),
        (send(WHOLE.replace(b"Content-Length", b"X-Length")), True),  # the end of the connection is
        (send(WHOLE.replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 206 Partial")), False),
        (send(WHOLE[:-1]), False),
        (hold(WHOLE[:-1]), False),
        (hold(b""), False),
        (reset(WHOLE[:-1]), False),
        (send(b"SSH-2.0-OpenSSH_9.6\r\n"), False),
        (send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 700_000), False),
    ],
)
def test_how_an_answer_may_arrive(ask: Ask, step: Any, usable: bool) -> None:
    with ScriptedServer(step) as server:
        options = {"endpoint": server.endpoint, "detect": "force", "read_timeout": 1.5}
        if usable:
            assert ask(**options)[0]["name"] == "web-1"
        else:
            with pytest.raises(DeclinedError):
                ask(**options)


# --- PowerShell as it may be ----------------------------------------------------------------------------------------


def started(*arguments: str) -> str:
    command = [pwsh(), "-NoProfile", "-NonInteractive", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **LEAN})
    return done.stdout


def test_as_a_command_line_for_cmd() -> None:
    def run(command: str) -> str:
        name, *arguments = command.split()
        assert name == "powershell"
        return started(*arguments[2:])

    with start([{"name": "web-1"}]) as imds:
        options = {**DEFAULTS, "endpoint": imds.url, "detect": "force"}
        fact, _warnings = one_command.facts(plugin(run, shell="cmd"), settings(options))
    assert fact["name"] == "web-1"


def test_as_winrm_encodes_it(commands: Commands) -> None:
    with start([{"name": "web-1"}]) as imds:
        options = {**DEFAULTS, "endpoint": imds.url, "detect": "force"}
        fact, _warnings = one_command.facts(plugin(commands.run, transport="winrm"), settings(options))
    assert fact["name"] == "web-1"


def test_constrained_language_mode_is_declined_with_its_name() -> None:
    limit = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; "
    with start([{"name": "web-1"}]) as imds:
        options = {**DEFAULTS, "endpoint": imds.url, "detect": "force"}
        with pytest.raises(DeclinedError, match="constrained language mode"):
            one_command.facts(plugin(lambda command: started("-Command", limit + command)), settings(options))
        assert imds.requests() == []


def test_a_profile_that_prints_and_is_strict() -> None:
    profile = "'Welcome'; Set-StrictMode -Version Latest; $ErrorActionPreference = 'Stop'; "
    with start([{"name": "web-1"}]) as imds:
        options = {**DEFAULTS, "endpoint": imds.url, "detect": "force"}
        fact, _warnings = one_command.facts(
            plugin(lambda command: started("-Command", f"{profile}{command}; 'Bye'")), settings(options)
        )
    assert fact["name"] == "web-1"
