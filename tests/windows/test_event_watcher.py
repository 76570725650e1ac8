# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watcher for Windows hosts, under Mono: what it does is what the one for Linux hosts does."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.tests.scenarios import running_emulator, watcher_program
from ansible_collections.imds.azure.tests.windows.core import COMPILE, UTILS, missing

ROLE = watcher_program.ROLE
OWN = sorted((ROLE / "files" / "windows").glob("*.cs"))
COMMAND = """#!/bin/sh
number=$(ls "$1" | wc -l)
cat > "$1/$number.json"
env | grep ^AZURE_EVENT_ | sort > "$1/$number.env"
[ ! -e "$1.hook" ] || . "$1.hook"
"""


def listed() -> list[str]:
    """The files of the core that the role compiles into the program."""
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    return list(variables["__azure_imds_event_watcher_windows_core"])


def test_the_role_lists_what_the_program_needs() -> None:
    """What is used directly, what that uses, and nothing else."""
    needed: set[str] = set()
    texts = [file.read_text(encoding="utf-8") for file in OWN]
    while texts:
        found = set(
            re.findall(r"^using ansible_collections\.imds\.azure\.plugins\.module_utils\.(\w+);", texts.pop(), re.M)
        )
        texts += [(UTILS / f"{name}.cs").read_text(encoding="utf-8") for name in found - needed]
        needed |= found
    assert listed() == sorted(needed)


@pytest.fixture(scope="module")
def windows_program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The program as a host compiles it: C# 5, and no more assemblies than the role names."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    program = tmp_path_factory.mktemp("watcher") / "watcher.exe"
    files = [*(UTILS / f"{name}.cs" for name in listed()), *OWN]
    references = ("-noconfig", "-r:System.dll", "-r:System.Core.dll")
    command = [*COMPILE, *references, f"-out:{program}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ["mono", str(program)]


PROGRAMS: dict[str, Callable[[list[str]], list[str]]] = {
    "linux": lambda _windows: [*watcher_program.COMMAND],
    "windows": lambda windows: windows,
}


class Host:
    """A host with a watcher, whose command notes what it is given."""

    def __init__(self, folder: Path, program: list[str], endpoint: str, **settings: Any) -> None:
        folder.mkdir()
        self.folder = folder
        self.program = program
        self.said = ""
        (folder / "command").write_text(COMMAND, encoding="ascii")
        (folder / "command").chmod(0o755)
        (folder / "notes").mkdir()
        self.config = {
            "command": [str(folder / "command"), str(folder / "notes")],
            "phases": ["new", "updated", "started", "gone"],
            "state_file": str(folder / "state.json"),
            "endpoint": endpoint,
            "detect": "force",
            "interval": 0.05,
            **settings,
        }

    def command(self, *arguments: str) -> list[str]:
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config), encoding="utf-8")
        return [*self.program, str(file), *arguments]

    def watch(self, polls: int = 3) -> int:
        """Watch for a few polls; the exit status."""
        command = self.command("--polls", str(polls))
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.said += done.stderr
        return done.returncode

    def notes(self) -> list[dict[str, Any]]:
        """What the commands were given, in order."""
        files = sorted((self.folder / "notes").glob("*.json"), key=lambda file: int(file.stem))
        return [json.loads(file.read_text(encoding="ascii")) for file in files]

    def variables(self) -> list[str]:
        files = sorted((self.folder / "notes").glob("*.env"), key=lambda file: int(file.stem))
        return [file.read_text(encoding="utf-8") for file in files]

    def phases(self) -> list[str]:
        return [note["meta"]["phase"] for note in self.notes()]

    def state(self) -> Any:
        return json.loads((self.folder / "state.json").read_text(encoding="utf-8"))


def live(host: Host, emulator: running_emulator.Running) -> None:
    """The life of an event, seen by watchers that end again and again."""

    def control(method: str, path: str, document: Any = None) -> Any:
        status, answer = emulator.control(method, path, document)
        assert status == 200, answer
        return answer

    given = {"type": "Reboot", "description": 'Zürich "\\ \x85', "resources": ["self", "vm2"], "id": EVENT}
    control("POST", "/events", given)
    assert host.watch() == 0
    control("PATCH", f"/events/{EVENT}", {"notice": 1800})
    assert host.watch() == 0
    control("POST", "/clock", {"advance": 1800})
    assert host.watch() == 0
    control("POST", "/events", {"type": "Freeze", "resources": ["vm2"]})  # not its own
    control("POST", "/clock", {"advance": 600})
    assert host.watch() == 0
    assert host.watch() == 0


EVENT = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"


def test_both_do_the_same(windows_program: list[str], tmp_path: Path) -> None:
    seen = {}
    for name, program in PROGRAMS.items():
        with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
            host = Host(tmp_path / name, program(windows_program), emulator.url)
            live(host, emulator)
        assert host.phases() == ["new", "updated", "started", "gone"], host.said
        assert host.state()["due"] == []
        seen[name] = host
    theirs, ours = seen["linux"], seen["windows"]
    assert [without_times(note) for note in ours.notes()] == [without_times(note) for note in theirs.notes()]
    assert [name_lines(text) for text in ours.variables()] == [name_lines(text) for text in theirs.variables()]
    assert ours.state()["format"] == theirs.state()["format"]


def without_times(note: dict[str, Any]) -> dict[str, Any]:
    """The two watch one after the other, so the times differ."""
    event = note["azure_scheduled_event"]
    times = {"not_before": bool(event["not_before"]), "not_before_raw": bool(event["not_before_raw"])}
    left = event["seconds_left"]
    return {**note, "azure_scheduled_event": {**event, **times, "seconds_left": left and round(left, -2)}}


def name_lines(text: str) -> list[str]:
    return [line if not re.search("NOT_BEFORE|SECONDS", line) else line.partition("=")[0] for line in text.splitlines()]


def test_a_command_that_is_killed_with_it_runs_again(windows_program: list[str], tmp_path: Path) -> None:
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
        host = Host(tmp_path / "host", windows_program, emulator.url)
        hook = tmp_path / "host" / "notes.hook"
        hook.write_text("sleep 30\n", encoding="ascii")
        emulator.control("POST", "/events", {"type": "Reboot", "id": EVENT})
        process = subprocess.Popen(host.command(), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not (host.variables() and (tmp_path / "host" / "state.json").exists()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        process.wait()
        hook.unlink()
        assert host.watch() == 0
        assert host.watch() == 0
        assert host.phases() == ["new", "new"]


def test_a_command_that_takes_too_long_is_ended(windows_program: list[str], tmp_path: Path) -> None:
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
        host = Host(tmp_path / "host", windows_program, emulator.url, command_timeout=1)
        (tmp_path / "host" / "notes.hook").write_text("exec sleep 30\n", encoding="ascii")
        emulator.control("POST", "/events", {"type": "Reboot"})
        assert host.watch(1) == 0
    assert "after its limit of 1 s" in host.said


def test_errors_pass(windows_program: list[str], tmp_path: Path) -> None:
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
        host = Host(tmp_path / "host", windows_program, emulator.url)
        emulator.fault(path="/metadata/scheduledevents", status=503, count=1)
        emulator.control("POST", "/events", {"type": "Reboot"})
        assert host.watch(2) == 0
    assert host.phases() == ["new"]


def test_off_azure_nothing_is_sent(windows_program: list[str], tmp_path: Path) -> None:
    """Under Mono, there is no firmware to read, so nothing is known of the platform."""
    with running_emulator.start([{"name": "vm1"}]) as emulator:
        host = Host(tmp_path / "host", windows_program, emulator.url, detect="auto")
        assert host.watch() == 1
        assert "nothing to watch" in host.said
        assert emulator.requests() == []


def test_an_unusable_state_is_set_aside(windows_program: list[str], tmp_path: Path) -> None:
    with running_emulator.start([{"name": "vm1"}], limiter=False) as emulator:
        host = Host(tmp_path / "host", windows_program, emulator.url)
        state = tmp_path / "host" / "state.json"
        state.write_text("{", encoding="ascii")
        assert host.watch() == 0
        assert Path(f"{state}.unusable").read_text(encoding="ascii") == "{"


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"comand": []}, "comand: is not known"),
        ({"command": ["drain"]}, "command: "),
        ({"command": []}, "command: "),
        ({"state_file": "state"}, "state_file: "),
        ({"phases": ["over"]}, "phases: "),
        ({"interval": 61}, "interval: "),
        ({"command_timeout": "1"}, "command_timeout: "),
        ({"api_version": "soon"}, "api_version: "),
    ],
    ids=str,
)
def test_what_is_refused(windows_program: list[str], tmp_path: Path, settings: dict[str, Any], complaint: str) -> None:
    host = Host(tmp_path / "host", windows_program, "http://127.0.0.1:1", **settings)
    done = subprocess.run(host.command("--check"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr
