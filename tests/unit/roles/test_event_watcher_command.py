# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the watcher runs the user's command, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import document
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, VM, raw_document, raw_event
from ansible_collections.imds.azure.tests.scenarios.watcher_program import LINUX

if str(LINUX) not in sys.path:
    sys.path.insert(0, str(LINUX))

import command_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="this watcher runs on Linux")


def event(**fields: Any) -> dict[str, Any]:
    return document.parse(raw_document(raw_event(**fields)), NOW, VM).events[0].as_dict()


class Started:
    """A shell script that runs as the command."""

    def __init__(self, script: str, tmp_path: Path, limit: float = 60, **fields: Any) -> None:
        self.now = 0.0
        command = ["/bin/sh", "-c", f"cd {tmp_path}; {script}"]
        self.run = command_run.Run(command, "new", event(**fields), VM, limit, self.now)

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
        assert Started("exec ls -l /proc/self/fd > files", tmp_path).end() == "exit status 0"
    files = (tmp_path / "files").read_text(encoding="utf-8")
    assert "secret" not in files
    # The event is its standard input, and nothing else.
    assert files.count("memfd:event") == 1
    assert " 0 -> /memfd:event" in files


def test_a_command_ignores_no_signal(tmp_path: Path) -> None:
    """Python ignores SIGPIPE; what it starts must not, or pipes would never end."""
    assert Started("grep SigIgn /proc/self/status > signals", tmp_path).end() == "exit status 0"
    ignored = int((tmp_path / "signals").read_text(encoding="ascii").split()[1], 16)
    assert not ignored >> (signal.SIGPIPE - 1) & 1


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
    started.now = 5 + command_run.MERCY
    assert started.end() == "signal 9"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="No such file"):
        command_run.Run([str(tmp_path / "missing")], "new", event(), VM, 60, 0)
    assert len(os.listdir("/proc/self/fd")) == before
