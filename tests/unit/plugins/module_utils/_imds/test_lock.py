# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of systemd-imdsd: told by the kernel's rules, passed with the mark by root, a reason for everybody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import lock
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.tests.scenarios.imds.world import World, failed, said

PROHIBITED = failed("route_prohibited")
INSTANCE = said(200, {"compute": {"vmId": ""}})
# Prints whether the namespace that it runs in is locked, as the package sees it without anything of Ansible.
ASK = "import sys; sys.path.insert(0, sys.argv[1]); import lock; print(lock.is_locked())"


def test_root_sets_the_mark_and_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "is_locked", lambda: True)
    monkeypatch.setattr(lock, "may_set_mark", lambda: True)
    world = World([PROHIBITED, INSTANCE])
    assert world.client().instance().content["compute"]
    assert world.marks == [None, lock.MARK]


def test_without_root_the_reason_is_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "is_locked", lambda: True)
    monkeypatch.setattr(lock, "may_set_mark", lambda: False)
    world = World([PROHIBITED])
    with pytest.raises(ImdsError) as caught:
        world.client().instance()
    assert caught.value.reason.code == "locked_by_systemd"
    assert world.marks == [None]


def test_prohibit_route_of_somebody_else_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "is_locked", lambda: False)
    world = World([PROHIBITED])
    with pytest.raises(ImdsError) as caught:
        world.client().instance()
    assert caught.value.reason.code == "route_prohibited"
    assert set(world.marks) == {None}


def test_mark_that_does_not_help_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "is_locked", lambda: True)
    monkeypatch.setattr(lock, "may_set_mark", lambda: True)
    world = World([PROHIBITED])
    with pytest.raises(ImdsError) as caught:
        world.client().instance()
    assert caught.value.reason.code == "route_prohibited"
    assert world.marks[:2] == [None, lock.MARK]


@pytest.mark.parametrize("data", [b"", b"\0" * 20, b"\xff" * 40, b"\x10\0\0\0 \0"])
def test_garbage_from_the_kernel_has_no_marks(data: bytes) -> None:
    assert lock.rule_marks(data) == set()


@pytest.mark.skipif(not (shutil.which("ip") and shutil.which("unshare")), reason="ip or unshare is not installed")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_kernel_tells_the_rule() -> None:
    """In a network namespace of the test."""
    package = os.path.dirname(str(lock.__file__))
    script = (
        'ip rule add fwmark 0x9 lookup 9; "$0" -c "$1" "$2"; ip rule add fwmark 0x7fff0815 lookup 9; "$0" -c "$1" "$2"'
    )
    command = ["unshare", "--net", "sh", "-c", script, sys.executable, ASK, package]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.stdout.split() == ["False", "True"], done.stderr
