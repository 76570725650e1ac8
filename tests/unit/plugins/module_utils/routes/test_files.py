# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's files: whole or not at all, nothing left by a kill, and one kind of error whatever the system says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._routes.host import operations, persistence
from ansible_collections.imds.azure.plugins.module_utils._routes.host.apply import apply
from ansible_collections.imds.azure.plugins.module_utils._routes.host.host import DeviceGoneError, Host, HostError
from ansible_collections.imds.azure.plugins.module_utils._routes.host.journal import PATH, Journal
from ansible_collections.imds.azure.tests.scenarios.apply_contract import KilledError

ROW = {"dst": "169.254.169.254/32", "dev": "eth0", "gateway": "10.0.0.1"}


def host_in(place: Path) -> Host:
    return Host(lambda _argv: (0, "", ""), str(place))


def files(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def test_killed_write_leaves_nothing_after_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_in(tmp_path)
    host.write("/etc/a.conf", "old", 0o644)

    def die(*_names: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        patch.setattr(os, "unlink", lambda _name: None)
        with pytest.raises(KilledError):
            host.write("/etc/a.conf", "new", 0o644)
    assert host.read_text("/etc/a.conf") == "old"
    assert len(files(tmp_path)) == 2
    host.write("/etc/a.conf", "newer", 0o644)
    assert files(tmp_path) == ["etc/a.conf"]


def test_removal_clears_what_a_killed_write_left(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    host.write("/etc/a.conf", "text", 0o644)
    (tmp_path / "etc" / ".imds-azure-new-a-conf").write_text("half")
    host.remove("/etc/a.conf")
    assert files(tmp_path) == []


def test_error_of_the_system_becomes_the_modules_own_and_is_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_given: Any) -> None:
        raise OSError(30, "Read-only file system", "/etc/netplan")

    undone: list[Any] = []
    monkeypatch.setattr(persistence, "write", write)
    monkeypatch.setattr(persistence, "remove", lambda *given: undone.append(given))
    host = host_in(tmp_path)
    step = {"phase": "repair", "do": [{"action": "persist", "route": ROW}], "undo": [{"action": "unpersist"}]}
    done = apply([step], lambda one: operations.operate(host, "netplan", one), Journal(host))
    assert (done.kept, done.rolled_back) == (False, True)
    assert "Read-only file system" in done.error
    assert undone
    assert Journal(host).load() is None


def test_interface_that_is_gone_is_told_apart(tmp_path: Path) -> None:
    host = Host(lambda _argv: (1, "", 'Cannot find device "eth7"\n'), str(tmp_path))
    with pytest.raises(DeviceGoneError, match="eth7"):
        operations.operate(host, "none", {"action": "append", "arguments": ["route", "append", "x", "dev", "eth7"]})
    (tmp_path / "sys" / "class" / "net").mkdir(parents=True)
    with pytest.raises(DeviceGoneError, match="eth0"):
        operations.operate(host, "networkd", {"action": "persist", "route": ROW})


def test_journal_that_can_not_be_removed_is_finished_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = host_in(tmp_path)
    step = {"phase": "repair", "do": [], "undo": []}

    def keep(_self: Host, path: str) -> None:
        raise HostError(f"{path}: Operation not permitted")

    monkeypatch.setattr(Host, "remove", keep)
    done = apply([step], lambda _one: None, Journal(host), lambda: {"verified": True, "detail": "HTTP 200"})
    assert (done.kept, done.error) == (True, "")
    assert "Operation not permitted" in done.notes[0]
    assert (tmp_path / PATH[1:]).exists()
    assert Journal(host).load() is None
