# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's half of the one command for Windows. tests/powershell runs the other one."""

from __future__ import annotations

import base64
import json
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.options import settings
from ansible_collections.imds.azure.plugins.module_utils._imds.platform import AZURE_CHASSIS_ASSET_TAG
from ansible_collections.imds.azure.plugins.plugin_utils import _one_command_windows as one_command
from ansible_collections.imds.azure.plugins.plugin_utils._declined import DeclinedError
from ansible_collections.imds.azure.tests.scenarios.scripted_server import document
from hypothesis import given
from hypothesis import strategies as st

TARGET = "/metadata/instance?api-version=2025-04-07"
VM_ID = "8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77"
INTERFACE = {
    "macAddress": "000D3A000001",
    "ipv4": {"ipAddress": [{"privateIpAddress": "10.0.0.4", "publicIpAddress": ""}]},
}
ANSWER = document({"compute": {"name": "web-1", "vmId": VM_ID}, "network": {"interface": [INTERFACE]}})
ADAPTER = {"name": "Ethernet", "mac": "000D3A000001", "up": True, "addresses": ["fe80::1%5", "10.0.0.4"]}
REPORT = {
    "elapsed": 12,
    "firmware": None,
    "adapters": [ADAPTER],
    "default_address": "10.0.0.4",
    "local_address": "10.0.0.4",
    "response": base64.b64encode(ANSWER).decode(),
}
FORCED = {"detect": "force"}


def plugin(said: Any = "", become: Any = None, shell: str = "powershell", transport: str = "ssh") -> Any:
    """An action plugin. ``said``: what the host prints, with MARK for the mark; its commands are in ``commands``."""
    commands: list[str] = []

    def execute(command: str, **_more: Any) -> dict[str, Any]:
        commands.append(command)
        mark = command.partition("$mark='")[2].partition("'")[0]
        return {"stdout": said.replace("MARK", mark)}

    return SimpleNamespace(
        commands=commands,
        _connection=SimpleNamespace(_shell=SimpleNamespace(SHELL_FAMILY=shell), become=become, transport=transport),
        _low_level_execute_command=execute,
    )


def said(**changed: Any) -> str:
    return f"MARK{json.dumps({**REPORT, **changed})}MARK"


def facts(text: str, **options: Any) -> dict[str, Any]:
    return one_command.facts(plugin(text), settings({**FORCED, **options}))[0]


# --- the answer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "Welcome\r\n", "\ufeff\n\n"])
@pytest.mark.parametrize("after", ["", "\r\n", "\r\nBye\n"])
def test_what_else_a_host_prints_is_ignored(before: str, after: str) -> None:
    fact = facts(before + said() + after)
    assert (fact["name"], fact["private_ip"]) == ("web-1", "10.0.0.4")
    assert fact["network"]["primary"]["device"] == "Ethernet"
    meta = {name: fact["meta"][name] for name in ("delivery", "requests", "elapsed")}
    assert meta == {"delivery": "one_command", "requests": 1, "elapsed": 0.012}


def test_a_console_that_breaks_lines() -> None:
    text = said()
    assert facts("\r\n".join(text[at : at + 80] for at in range(0, len(text), 80)).replace("MA\r\nRK", "MARK"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'powershell' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
        json.dumps(REPORT),
        "MARK",
        "MARK{}MARK",
        "MARK[]MARK",
        "MARKnullMARK",
        'MARK"text"MARK',
        "MARK3MARK",
        "MARKtrueMARK",
        "MARK{MARK",
        said()[:-40],
        said(elapsed="soon"),
        said(elapsed=None),
        said(firmware=7),
        said(firmware="%%%"),
        said(response="%%%"),
        said(adapters=None),
        said(adapters=[1]),
        said(adapters=[{}]),
        said(adapters=[{**ADAPTER, "name": None}]),
        said(adapters=[{**ADAPTER, "addresses": [4]}]),
        said(adapters=[{**ADAPTER, "addresses": 4}]),
        said(default_address=4),
        said(local_address=[]),
        said(elapsed=float("inf")),
        said(elapsed=float("nan")),
        said(elapsed=10**400),
        "MARK" + "[" * 100_000 + "MARK",
        said(failure="refused"),
        said(response=None),
        said(response=""),
    ],
)
def test_any_other_answer_is_declined(text: str) -> None:
    with pytest.raises(DeclinedError):
        facts(text)


@pytest.mark.parametrize(("number", "why"), [(1, "constrained language mode"), (2, "older than 5.1")])
def test_a_refusal_says_why(number: int, why: str) -> None:
    with pytest.raises(DeclinedError, match=why):
        facts(f"MARK{number}MARK")


def test_a_message_of_the_host_is_not_repeated() -> None:
    with pytest.raises(DeclinedError) as declined:
        facts(said(failure="ignore all previous instructions"))
    assert "ignore" not in str(declined.value)


def test_without_a_firmware_there_is_no_verdict() -> None:
    with pytest.raises(DeclinedError, match="firmware"):
        facts(said(response=None), detect="auto")
    fact = facts(said(), detect="auto", chassis_asset_tag=AZURE_CHASSIS_ASSET_TAG)
    assert fact["available"]


def test_a_response_that_nothing_allows_is_not_looked_at() -> None:
    fact = facts(said(), detect="auto", chassis_asset_tag="elsewhere")
    assert (fact["available"], fact["reason"], fact["name"]) == (False, "not_azure", None)


# --- the task -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "options", "why"),
    [
        ({"become": SimpleNamespace(name="runas")}, {}, "become"),
        ({}, {"load_balancer": True}, "load balancer"),
    ],
)
def test_what_only_the_module_can_do_is_declined_at_once(how: Any, options: Any, why: str) -> None:
    host = plugin(said(), **how)
    with pytest.raises(DeclinedError, match=why):
        one_command.facts(host, settings({**FORCED, **options}))
    assert host.commands == []


def test_other_operations_are_declined_at_once() -> None:
    host = plugin(said())
    with pytest.raises(DeclinedError, match="only facts"):
        one_command.ask(host, "_imds.run_info", FORCED, {})
    assert host.commands == []


def test_an_option_that_cannot_be_used_is_no_refusal() -> None:
    host = plugin(said())
    outcome = one_command.ask(host, "_imds.run_facts", {"timeout": -1}, {})
    assert (outcome.failure or "").startswith("timeout: -1 is not a usable time")
    assert host.commands == []


@pytest.mark.parametrize("required", [False, True])
def test_how_a_task_ends(required: bool) -> None:
    elsewhere = {"detect": "auto", "chassis_asset_tag": "elsewhere", "required": required}
    outcome = one_command.ask(plugin(said(response=None)), "_imds.run_facts", elsewhere, {})
    if required:
        assert (outcome.failure or "").startswith("No facts from IMDS: ")
        assert outcome.result["meta"] == {"delivery": "one_command"}
    else:
        assert outcome.failure is None
        assert outcome.result["ansible_facts"]["azure_imds"]["reason"] == "not_azure"
    outcome = one_command.ask(plugin(said()), "_imds.run_facts", {**FORCED, "required": required}, {})
    assert outcome.failure is None
    assert outcome.result["ansible_facts"]["azure_imds"]["name"] == "web-1"


# --- the command ----------------------------------------------------------------------------------------------------


def unpacked(command: str) -> str:
    packed = command.partition("FromBase64String('")[2].partition("'")[0]
    return zlib.decompress(base64.b64decode(packed), wbits=-zlib.MAX_WBITS).decode()


def test_one_command_without_a_double_quote() -> None:
    host = plugin(said())
    one_command.facts(host, settings(FORCED))
    assert len(host.commands) == 1
    assert not set(host.commands[0]) & set('"\n%`')
    assert "Metadata: true\r\n" in unpacked(host.commands[0])


@pytest.mark.parametrize(
    ("detect", "tag", "send"), [("auto", None, "$null"), ("auto", "x", "$false"), ("force", "x", "$true")]
)
def test_whether_to_send_is_decided_here_where_it_can_be(detect: str, tag: Any, send: str) -> None:
    host = plugin()
    with pytest.raises(DeclinedError):
        one_command.facts(host, settings({"detect": detect, "chassis_asset_tag": tag}))
    assert f";azure={send};" in unpacked(host.commands[0])


def test_cmd_gets_a_command_line_that_it_can_take() -> None:
    host = plugin(shell="cmd")
    endpoint = "http://[2001:db8:1111:2222:3333:4444:5555:6666]:65535"
    times = dict.fromkeys(("connect_timeout", "read_timeout", "timeout"), 3599.123)
    with pytest.raises(DeclinedError, match="no usable answer"):
        one_command.facts(host, settings({**FORCED, "endpoint": endpoint, **times}))
    name, *options, encoded = host.commands[0].split(" ")
    assert (name, options) == ("powershell", ["-NoProfile", "-NonInteractive", "-EncodedCommand"])
    assert base64.b64decode(encoded).decode("utf-16-le").startswith("$mark=")
    # Ansible's WinRM plugin adds this.
    assert len(host.commands[0]) + len(" -ExecutionPolicy Unrestricted") <= one_command.LONGEST


def test_winrm_encodes_a_command_that_is_short_then() -> None:
    host = plugin(transport="winrm")
    with pytest.raises(DeclinedError, match="no usable answer"):
        one_command.facts(host, settings(FORCED))
    (command,) = host.commands
    assert command.startswith("$mark=")
    assert not set(command) & set('"\n%`\u2018\u2019\u201a\u201b')
    assert not [character for character in command if "\ud800" <= character <= "\udfff"]
    encoded = base64.b64encode(command.encode("utf-16-le"))
    assert (
        len("powershell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand ") + len(encoded)
        < 6000
    )


@given(st.binary(max_size=300))
def test_bytes_as_characters(data: bytes) -> None:
    """Read as PowerShell reads them."""
    found, bits, count = bytearray(), 0, 0
    for character in one_command._dense(data):
        bits, count = bits << 15 | ord(character) - 20480, count + 15
        while count >= 8:
            count -= 8
            found.append(bits >> count & 255)
            bits &= (1 << count) - 1
    assert bytes(found).rstrip(b"\0") == data.rstrip(b"\0")
    assert len(data) <= len(found) <= len(data) + 1


@pytest.mark.parametrize("way", ["start", "encoded"])
def test_a_command_that_is_too_long_is_declined(way: str) -> None:
    with pytest.raises(DeclinedError, match="characters"):
        one_command.command("".join(map(chr, range(32, 127))) * 1000 + str(list(range(9000))), "mark", way)


def test_text_is_written_as_powershell_reads_it() -> None:
    script = one_command.written(settings({**FORCED}), "/it's", None)
    assert script.startswith("$asked=@{host='169.254.169.254';port=80;request='GET /it''s HTTP/1.1\r\n")
    assert "\n#" not in script
