# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's command: what it is given, and how it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import document
from ansible_collections.imds.azure.plugins.module_utils._watcher import commands
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, VM, raw_document, raw_event

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the watcher runs on Linux")


def event(**fields: Any) -> dict[str, Any]:
    return document.parse(raw_document(raw_event(**fields)), NOW, VM).events[0].as_dict()


def test_variables() -> None:
    found = commands.variables("new", event(Resources=[VM, "vm2"], Description="a=b"), VM)
    assert found == {
        "AZURE_EVENT_PHASE": "new",
        "AZURE_EVENT_HOST": VM,
        "AZURE_EVENT_ID": ID,
        "AZURE_EVENT_TYPE": "Reboot",
        "AZURE_EVENT_STATUS": "Scheduled",
        "AZURE_EVENT_RESOURCE_TYPE": "VirtualMachine",
        "AZURE_EVENT_RESOURCES": "vm1,vm2",
        "AZURE_EVENT_MINE": "true",
        "AZURE_EVENT_ONLY_MINE": "false",
        "AZURE_EVENT_NOT_BEFORE": "2021-03-16T00:58:46Z",
        "AZURE_EVENT_NOT_BEFORE_RAW": "Tue, 16 Mar 2021 00:58:46 GMT",
        "AZURE_EVENT_SECONDS_LEFT": "900",
        "AZURE_EVENT_DESCRIPTION": "a=b",
        "AZURE_EVENT_SOURCE": "User",
        "AZURE_EVENT_DURATION": "",
        "AZURE_EVENT_DURATION_RAW": "-1",
        "AZURE_EVENT_UNRECOGNIZED": "",
    }


def test_values_that_a_variable_can_not_hold() -> None:
    found = commands.variables("new", event(Description="a\0b\ud800", Resources=["x" * 40_000]), VM)
    assert found["AZURE_EVENT_DESCRIPTION"] == "ab\ud800"
    assert "AZURE_EVENT_RESOURCES" not in found


class Started:
    """A shell script that runs as the command."""

    def __init__(self, script: str, tmp_path: Path, limit: float = 60, **fields: Any) -> None:
        self.now = 0.0
        command = ["/bin/sh", "-c", f"cd {tmp_path}; {script}"]
        self.run = commands.Run(command, "new", event(**fields), VM, limit, self.now)

    def end(self, seconds: float = 10.0) -> str:
        """How it ended; its own clock stands still."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            how = self.run.ended(self.now)
            if how is not None:
                return how
            time.sleep(0.005)
        pytest.fail("the command still runs")


def test_a_command_reads_the_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_EVENT_STALE", "from the watcher's own environment")
    monkeypatch.setenv("KEPT", "yes")
    assert Started("cat > stdin; env > env", tmp_path, Description="Zürich\ud800").end() == "exit status 0"
    given = json.loads((tmp_path / "stdin").read_text(encoding="ascii"))
    assert given == {
        "azure_scheduled_event": event(Description="Zürich\ud800"),
        "meta": {"phase": "new", "host": VM},
    }
    lines = (tmp_path / "env").read_bytes().splitlines()
    assert b"AZURE_EVENT_PHASE=new" in lines
    assert f"AZURE_EVENT_ID={ID}".encode() in lines
    assert "AZURE_EVENT_DESCRIPTION=Zürich?".encode() in lines
    assert b"KEPT=yes" in lines
    assert not [line for line in lines if line.startswith(b"AZURE_EVENT_STALE")]


def test_a_command_that_reads_nothing_of_much(tmp_path: Path) -> None:
    assert Started("exit 3", tmp_path, Resources=["x" * 100] * 5000).end() == "exit status 3"


def test_a_command_that_is_killed(tmp_path: Path) -> None:
    assert Started("kill -9 $$", tmp_path).end() == "signal 9"


def test_a_command_inherits_no_file(tmp_path: Path) -> None:
    with open(tmp_path / "secret", "wb") as _secret:
        assert Started("ls /proc/self/fd | wc -l > count", tmp_path).end() == "exit status 0"
    # The three standard ones, and the folder that ls reads.
    assert int((tmp_path / "count").read_text(encoding="ascii")) <= 4


def test_a_command_that_takes_too_long_is_asked_to_end(tmp_path: Path) -> None:
    started = Started("trap 'echo asked > asked; exit 0' TERM; echo > ready; sleep 60 & wait", tmp_path, limit=5)
    wait_for(tmp_path / "ready")
    started.now = 4.9
    assert started.run.ended(started.now) is None
    assert not started.run.timed_out
    started.now = 5
    assert started.end() == "exit status 0"
    assert started.run.timed_out
    assert (tmp_path / "asked").exists()


def test_a_command_that_will_not_end_is_killed(tmp_path: Path) -> None:
    started = Started("trap '' TERM; echo > ready; while :; do sleep 0.1; done", tmp_path, limit=5)
    wait_for(tmp_path / "ready")
    started.now = 5
    assert started.run.ended(started.now) is None
    started.now = 5 + commands.MERCY
    assert started.end() == "signal 9"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="No such file"):
        commands.Run([str(tmp_path / "missing")], "new", event(), VM, 60, 0)
    assert len(os.listdir("/proc/self/fd")) == before
