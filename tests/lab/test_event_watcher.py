# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watcher of scheduled events on VMs, as its role installs it. IMDS' clock is virtual, all waits are real."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .api import Lab
from .errors import RefusedError
from .route_play import playbook

DIRECTORY = "/opt/azure-imds-event-watcher"
STATE = "/var/lib/azure-imds-event-watcher"
PROGRAM = f"/usr/bin/python3 -IS {DIRECTORY}/program {DIRECTORY}/config.json"
# Where its command writes, a link to the directory that the VM shares with the tests.
FOLDER = "/watched"
# Seconds from the moment when IMDS shows an event to the start of the command, and KiB of private memory.
LIMIT = 1.5
MEMORY = 15 * 1024
# How long anything may take that does not matter here.
PATIENCE = 20.0

VMS: list[dict[str, Any]] = [
    {"name": "web", "options": {"scheduled_events": {"domain": "set"}}},
    {"name": "db", "options": {"scheduled_events": {"domain": "set"}}},
    {"name": "elsewhere", "chassis_asset_tag": False},
]


def role(**variables: Any) -> dict[str, Any]:
    given = {f"azure_imds_event_watcher_{name}": value for name, value in variables.items()}
    return {"hosts": "web", "gather_facts": False, "roles": [{"role": "imds.azure.azure_imds_event_watcher", **given}]}


def play(lab: Lab, *plays: Mapping[str, Any]) -> list[str]:
    """Run plays of the role: the recap of each."""
    recaps = []
    for number, content in enumerate(plays):
        file = lab.place.path / f"watcher-{number}.json"
        file.write_text(json.dumps([content]), encoding="utf-8")
        done = playbook(lab, str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        recaps.append(done.stdout.partition("PLAY RECAP")[2])
    return recaps


def shared(lab: Lab, vm: str, name: str) -> Path:
    return lab.place.shared(vm) / name


@pytest.fixture(scope="module")
def watched(_labs: Path) -> Iterator[Lab]:
    """VMs with the watcher. Its command writes down when it ran and what it was given, then does what `hook` says."""
    script = f'cd {FOLDER}; date "+%s.%N $AZURE_EVENT_PHASE $AZURE_EVENT_ID" >> log; cat > stdin; . ./hook'
    installed = role(command=["/bin/sh", "-c", script])
    try:
        with Lab({"vms": VMS}) as lab:
            for vm in ("web", "db", "elsewhere"):
                lab.run(vm, ["ln", "-s", str(lab.place.shared(vm)), FOLDER], check=True)
            first, second = play(lab, installed, installed)
            assert "changed=0" not in first
            assert "changed=0" in second
            # A play takes long, so the other VMs get a copy.
            packed = lab.run("web", ["sh", "-c", f"tar cz {DIRECTORY} {STATE} | base64"], check=True).stdout
            for vm in ("db", "elsewhere"):
                lab.run(vm, ["sh", "-c", "base64 -d | tar xz -C /"], stdin=packed, check=True)
            yield lab
    except RefusedError as error:
        pytest.skip(str(error))


class Running:
    """The watcher on one VM, started as its service manager would start it."""

    def __init__(self, lab: Lab, vm: str) -> None:
        self.lab = lab
        self.vm = vm
        self.log = shared(lab, vm, "log")
        self.said = shared(lab, vm, "said")
        shared(lab, vm, "hook").touch()
        before = self.said.stat().st_size if self.said.exists() else 0
        done = lab.run(vm, ["sh", "-c", f"{PROGRAM} >> {self.said} 2>&1 & echo $!"], check=True)
        self.pid = int(done.stdout)
        until(lambda: "watching the events" in self.said.read_text(encoding="utf-8")[before:])

    def end(self, signal: str = "TERM") -> None:
        """End it, and wait until it is gone."""
        self.lab.run(self.vm, ["kill", f"-{signal}", str(self.pid)], check=True)
        until(lambda: self.lab.run(self.vm, ["test", "-e", f"/proc/{self.pid}/exe"]).returncode != 0)

    def runs(self, event_id: str) -> list[tuple[str, float]]:
        """(phase, time) of the commands that ran for an event."""
        lines = self.log.read_text(encoding="ascii").splitlines() if self.log.exists() else []
        found = [line.split() for line in lines]
        return [(phase, float(at)) for at, phase, run_for in found if run_for == event_id]

    def phases(self, event_id: str) -> list[str]:
        return [phase for phase, _at in self.runs(event_id)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def plan(lab: Lab, **event: Any) -> str:
    """Plan one event for web; its id."""
    (planned,) = lab.emulator.plan({"vm": "web", **event})
    return str(planned["id"])


@pytest.fixture
def watcher(watched: Lab) -> Iterator[Running]:
    running = Running(watched, "web")
    yield running
    running.end()


def test_from_the_notice_to_the_command(
    watched: Lab, watcher: Running, record_property: Callable[[str, Any], None]
) -> None:
    delays = []
    for pause in (0.0, 0.3, 0.6, 0.9):
        time.sleep(pause)  # so that the notice comes at any point between two polls
        before = time.time()
        event = plan(watched, scenario="spot")
        until(lambda event=event: watcher.runs(event) != [])  # type: ignore[misc]
        ((phase, at),) = watcher.runs(event)
        assert phase == "new"
        # From before the request that plans the event, so this is more than what the watcher takes.
        delays.append(at - before)
    record_property("notice_to_command_s", f"{max(delays):.2f}")
    print(f"notice to command: {', '.join(f'{delay:.2f}' for delay in delays)} s")
    assert max(delays) < LIMIT

    stdin = shared(watched, "web", "stdin")
    until(lambda: stdin.read_text(encoding="ascii").endswith("\n"))
    given = json.loads(stdin.read_text(encoding="ascii"))
    assert given["meta"] == {"phase": "new", "host": "web"}
    assert given["azure_scheduled_event"]["event_type"] == "Preempt"
    assert given["azure_scheduled_event"]["seconds_left"] in (28, 29, 30)


def test_a_life_with_restarts(watched: Lab) -> None:
    """Killed at any time, it runs each phase once."""
    first = Running(watched, "web")
    event = plan(watched, scenario="user-reboot")
    until(lambda: first.phases(event) == ["new"])
    until(lambda: "the command ended with exit status 0" in first.said.read_text(encoding="utf-8").splitlines()[-1])
    first.end("KILL")
    watched.emulator.advance(900)

    second = Running(watched, "web")
    until(lambda: second.phases(event) == ["new", "started"])
    second.end()

    third = Running(watched, "web")
    watched.emulator.advance(600)
    until(lambda: third.phases(event) == ["new", "started", "gone"])
    third.end()
    fourth = Running(watched, "web")
    time.sleep(1.2)  # another poll
    fourth.end()
    assert fourth.phases(event) == ["new", "started", "gone"]


def test_a_command_that_is_killed_with_it_runs_again(watched: Lab) -> None:
    hook = shared(watched, "web", "hook")
    hook.write_text("sleep 30\n", encoding="ascii")
    killed = Running(watched, "web")
    event = plan(watched, type="Reboot")
    until(lambda: killed.phases(event) == ["new"])
    killed.end("KILL")
    hook.write_text("", encoding="ascii")
    again = Running(watched, "web")
    until(lambda: again.phases(event) == ["new", "new"])
    again.end()
    watched.emulator.cancel(event)


def test_a_command_goes_on_while_the_watcher_is_stopped(watched: Lab) -> None:
    shared(watched, "web", "hook").write_text("sleep 1; echo $AZURE_EVENT_ID >> done\n", encoding="ascii")
    running = Running(watched, "web")
    event = plan(watched, type="Redeploy")
    until(lambda: running.phases(event) == ["new"])
    running.end()
    assert event in shared(watched, "web", "done").read_text(encoding="ascii").splitlines()
    shared(watched, "web", "hook").write_text("", encoding="ascii")
    again = Running(watched, "web")
    time.sleep(1.2)  # another poll
    again.end()
    assert again.phases(event) == ["new"]
    watched.emulator.cancel(event)


def test_other_vms_of_the_domain(watched: Lab) -> None:
    """All see the same events; the watcher of each heeds its own."""
    both = [Running(watched, vm) for vm in ("web", "db")]
    shared_event = plan(watched, scenario="shared")
    other = plan(watched, scenario="other-vm-only")
    until(lambda: all(running.phases(shared_event) == ["new"] for running in both))
    until(lambda: both[1].phases(other) == ["new"])
    assert both[0].phases(other) == []
    for running in both:
        running.end()


def test_requests_and_memory(watched: Lab, watcher: Running, record_property: Callable[[str, Any], None]) -> None:
    watched.emulator.clear_requests()
    time.sleep(3.5)
    sent = [request for request in watched.emulator.requests() if "scheduledevents" in request["path"]]
    times = [request["time"] for request in sent]
    assert 3 <= len(times) <= 4
    assert all(later - earlier >= 0.99 for earlier, later in zip(times, times[1:]))
    assert {request["headers"]["Metadata"] for request in sent} == {"true"}

    rollup = watched.run("web", ["cat", f"/proc/{watcher.pid}/smaps_rollup"], check=True).stdout
    private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
    record_property("private_memory_kib", private)
    print(f"private memory: {private} KiB")
    assert 1000 < private < MEMORY
    # A single process, and a single thread.
    assert watched.run("web", ["cat", f"/proc/{watcher.pid}/task/{watcher.pid}/children"]).stdout.strip() == ""
    assert len(watched.run("web", ["ls", f"/proc/{watcher.pid}/task"]).stdout.split()) == 1


def test_off_azure_it_sends_nothing_and_ends(watched: Lab) -> None:
    watched.emulator.clear_requests()
    done = watched.run("elsewhere", ["sh", "-c", PROGRAM])
    assert done.returncode == 0
    assert "nothing to watch" in done.stderr
    assert watched.emulator.requests() == []


def test_the_role_removes_what_it_installed(watched: Lab) -> None:
    (recap,) = play(watched, role(state="absent"))
    assert recap.count("changed=0") == 0
    for folder in (DIRECTORY, STATE):
        assert watched.run("web", ["test", "-e", folder]).returncode == 1
