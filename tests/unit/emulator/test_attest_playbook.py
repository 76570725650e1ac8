# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that attests, in real plays: hosts that ask an emulator on loopback, and hosts that are played."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography")

from ansible_collections.imds.azure.tests.scenarios import played_hosts
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Connection, Running, start
from azure_imds_emulator.vms import build

ATTEST = {"import_playbook": "imds.azure.attest"}
VM_ID = build({"name": "web-1"}).compute["vmId"]
OTHER_ID = "11111111-2222-3333-4444-555555555555"

Attest = Callable[..., str]


@pytest.fixture(scope="module")
def imds() -> Iterator[Running]:
    """One emulator for all: the keys of its CA take a while."""
    with start([{"name": "web-1", "limiter": False}]) as running:
        yield running


def table(output: str) -> dict[str, list[str]]:
    """Host -> the cells of its row, and what is said below it."""
    shown = re.findall(r'^ +"([^"]*)",?$', output, re.MULTILINE)
    start_of_rows = next(number for number, row in enumerate(shown) if row.startswith("HOST "))
    found: dict[str, list[str]] = {}
    for row in shown[start_of_rows + 1 :]:
        if not row.startswith(" "):
            host, *cells = re.split(r" {2,}", re.sub(r"^(\S+) +(\S+) +(\S+) +", r"\1  \2  \3  ", row))
            found[host] = cells
        else:
            found[host].append(row.strip())
    return found


@pytest.fixture
def attest(imds: Running, tmp_path: Path) -> Attest:
    """Run the playbook over hosts with these variables, which ask the emulated VM."""
    trust: dict[str, Any] = {"azure_attest_builtin_anchors": False, "azure_attest_fetch_intermediates": "never"}
    for option, name in (("anchors", "root"), ("intermediates", "intermediate")):
        with Connection(imds.control_address) as connection:
            connection.send(f"GET /ca/{name}.pem HTTP/1.1\r\n\r\n".encode())
            reply = connection.reply()
        assert reply is not None
        (tmp_path / f"{name}.pem").write_bytes(reply.body)
        trust[f"azure_attest_{option}"] = str(tmp_path / f"{name}.pem")
    local = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "azure_imds_endpoint": imds.url,
        "azure_imds_detect": "force",
        **trust,
    }

    # Nothing listens where the proxy should be: whatever a test makes the controller fetch, it stays on this machine.
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")

    def run(**hosts: dict[str, Any]) -> str:
        inventory = {name: {**local, **variables} for name, variables in hosts.items()}
        return played_hosts.run_plays(tmp_path, inventory, [ATTEST], environment=proxies)

    return run


def test_the_table(attest: Attest) -> None:
    output = attest(
        mine={"azure_vm_id": VM_ID},
        unknown={},
        impostor={"azure_vm_id": OTHER_ID},
        lacking={"azure_vm_id": VM_ID, "azure_attest_intermediates": []},
        elsewhere={"azure_imds_detect": "auto", "azure_imds_chassis_asset_tag": "none"},
        mistyped={"azure_vm_id": "web-1"},
    )
    found = table(output)
    assert found["mine"] == [VM_ID, "public", "attested"]
    assert found["unknown"] == [VM_ID, "public", "genuine, but no id is expected"]
    identity = [f"vm_id found: {VM_ID}", f"vm_id expected: {OTHER_ID}"]
    assert found["impostor"] == ["-", "-", "REFUSED: identity_mismatch", *identity]
    assert found["lacking"][:3] == ["-", "-", "REFUSED: missing_issuer"]
    assert found["lacking"][3].startswith("issuer: CN=")
    assert found["elsewhere"] == ["-", "-", "no document: not_azure"]
    assert found["mistyped"] == ["-", "-", "failed"]
    failed = re.findall(r"^(\S+) .* failed=1", output.rpartition("PLAY RECAP")[2], re.MULTILINE)
    assert sorted(failed) == ["impostor", "lacking", "mistyped"]


def test_the_attempts_behind_a_missing_issuer(attest: Attest) -> None:
    lacking = {"azure_attest_intermediates": [], "azure_attest_fetch_intermediates": "auto"}
    found = table(attest(lacking={"azure_vm_id": VM_ID, **lacking}))
    tried = [line for line in found["lacking"] if line.startswith("tried http://")]
    assert tried
    assert all(line.endswith(": no answer") for line in tried)


def test_evidence_is_kept_for_each_host(attest: Attest, tmp_path: Path) -> None:
    attest(mine={"azure_vm_id": VM_ID, "azure_attest_dest": str(tmp_path / "{{ inventory_hostname }}.json")})
    assert json.loads((tmp_path / "mine.json").read_text())["verdict"]["document"]["vm_id"] == VM_ID


def test_unreachable_is_not_failed(tmp_path: Path) -> None:
    (tmp_path / "gone").write_text("#!/bin/sh\nexit 255\n")
    (tmp_path / "gone").chmod(0o755)
    hosts = {
        "gone": {**played_hosts.POSIX, "ansible_ssh_executable": str(tmp_path / "gone")},
        "there": played_hosts.POSIX,
    }
    output = played_hosts.run_plays(tmp_path, hosts, [ATTEST], {"failed": True, "msg": "no", "reason": "refused"})
    assert table(output) == {"gone": ["-", "-", "unreachable"], "there": ["-", "-", "no document: refused"]}


def test_what_a_host_says_does_not_reach_the_terminal(tmp_path: Path) -> None:
    answer = {"evidence": {"encoding": "\x1b[2J", "signature": "\x1b[2J"}, "api_version": "\x1b[2J", "attempts": 5}
    output = played_hosts.run_plays(tmp_path, {"vm": played_hosts.POSIX}, [ATTEST], answer)
    assert table(output) == {"vm": ["-", "-", "REFUSED: wrong_encoding"]}
    assert "\x1b" not in output[output.index("Show the results]") :]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("azure_imds_endpoint", "http://imds.example"),
        ("azure_imds_detect", "maybe"),
        ("azure_imds_timeout", 0),
        ("azure_imds_api_version", "x"),
        ("azure_attest_anchors", "nowhere.pem"),
        ("azure_attest_dest", "/dev/null/x"),
    ],
)
def test_variables_are_options(tmp_path: Path, name: str, value: Any) -> None:
    """A played host answers whatever it is asked, so the value is one that is refused before it is."""
    hosts = {"vm": {**played_hosts.POSIX, name: value}}
    output = played_hosts.run_plays(tmp_path, hosts, [ATTEST], {"failed": True, "msg": "no", "reason": "refused"})
    assert "failed=1" in output
    assert re.search(rf'"msg": ".*{name.split("_")[-1]}', output)
