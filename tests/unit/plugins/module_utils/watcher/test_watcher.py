# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watcher against a played IMDS, with a played clock and played commands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response, TransportError
from ansible_collections.imds.azure.plugins.module_utils._watcher.settings import parse
from ansible_collections.imds.azure.plugins.module_utils._watcher.watcher import AT_ONCE, Watcher
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, OTHER_ID, VM, raw_document, raw_event


class Run:
    """A command that ends when the test says so."""

    def __init__(self, phase: str, event: Mapping[str, Any], host: str, limit: float) -> None:
        self.phase = phase
        self.event = event
        self.host = host
        self.limit = limit
        self.timed_out = False
        self.how: str | None = None
        self.asked_to_end = False

    def ended(self, _now: float) -> str | None:
        return self.how

    def end(self, _now: float) -> None:
        self.asked_to_end = True
        self.how = "signal 15"


class World:
    """IMDS, the clock and the commands. ``events`` are what IMDS shows; ``failures`` are what it does instead."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1000.0
        self.events: list[dict[str, Any]] = []
        self.incarnation = 1
        self.failures: list[int | str] = []
        self.sent: list[tuple[float, str]] = []
        self.runs: list[Run] = []
        self.lines: list[tuple[int, str]] = []
        self.instant: str | None = "exit status 0"
        self.missing = False

    # --- what the watcher calls ---

    def get(self, _address: Any, target: str, _headers: Any, *_times: Any, **_more: Any) -> Response:
        self.sent.append((self.now, target))
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, str):
                raise TransportError(failure, failure)
            return Response(failure, {"server": "IMDS/1"}, b"{}", "10.0.0.4")
        if "/compute/name" in target:
            return Response(200, {}, VM.encode(), "10.0.0.4")
        document = raw_document(*self.events, incarnation=self.incarnation)
        return Response(200, {"server": "IMDS/1"}, json.dumps(document).encode(), "10.0.0.4")

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(
        self, command: Sequence[str], phase: str, event: Mapping[str, Any], host: str, limit: float, _now: float
    ) -> Run:
        if self.missing:
            raise FileNotFoundError(2, "No such file or directory", command[0])
        run = Run(phase, event, host, limit)
        run.how = self.instant
        self.runs.append(run)
        return run

    # --- what the test does ---

    def watcher(self, **settings: Any) -> Watcher:
        given = {"command": ["/drain"], "state_file": str(self.folder / "state.json"), "detect": "force", **settings}
        return Watcher(parse(json.dumps(given)), self.log, self.run, self.get, lambda: self.now, self.sleep)

    def log(self, level: int, line: str) -> None:
        self.lines.append((level, line))

    def show(self, *events: dict[str, Any]) -> None:
        self.events = list(events)
        self.incarnation += 1

    @property
    def phases(self) -> list[str]:
        return [run.phase for run in self.runs]

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
        return state


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def poll(world: World, watcher: Watcher, times: int = 1) -> None:
    for _time in range(times):
        watcher.wait(watcher.poll() - world.now)


def test_each_phase_is_run_once(world: World) -> None:
    watcher = world.watcher()
    poll(world, watcher)
    world.show(raw_event())
    poll(world, watcher, 5)
    world.show(raw_event(notice=None))
    poll(world, watcher, 5)
    world.show()
    poll(world, watcher, 5)
    assert world.phases == ["new", "started", "gone"]
    assert [run.host for run in world.runs] == [VM] * 3
    assert [run.limit for run in world.runs] == [3600] * 3
    assert {run.event["event_id"] for run in world.runs} == {ID}
    assert world.state["due"] == []


def test_the_command_starts_within_the_poll_that_brings_the_news(world: World) -> None:
    watcher = world.watcher()
    poll(world, watcher)
    world.show(raw_event())
    watcher.poll()
    assert world.phases == ["new"]


def test_one_request_per_second(world: World) -> None:
    poll(world, world.watcher(), 10)
    times = [at for at, target in world.sent if "scheduledevents" in target]
    assert len(times) == 10
    assert all(later - earlier >= 1 for earlier, later in zip(times, times[1:]))
    # The name is asked for once.
    assert len(world.sent) == 11


def test_an_interval_of_nothing_has_no_pause(world: World) -> None:
    poll(world, world.watcher(interval=0), 100)
    assert world.now == 1000.0


def test_events_of_other_vms_do_not_count(world: World) -> None:
    watcher = world.watcher()
    world.show(raw_event(Resources=["vm2"]))
    poll(world, watcher, 2)
    assert world.phases == []
    watcher = world.watcher(mine=False)
    poll(world, watcher)
    assert world.phases == ["new"]


def test_the_choice_of_types_and_phases(world: World) -> None:
    watcher = world.watcher(event_types=["Preempt"], phases=["updated", "gone"])
    world.show(raw_event(), raw_event(OTHER_ID, EventType="Preempt"))
    poll(world, watcher)
    world.show(raw_event(), raw_event(OTHER_ID, EventType="Preempt", notice=1200))
    poll(world, watcher)
    world.show()
    poll(world, watcher)
    assert [(run.phase, run.event["event_id"]) for run in world.runs] == [("updated", OTHER_ID), ("gone", OTHER_ID)]


def test_a_slow_command_holds_up_neither_polls_nor_other_events(world: World) -> None:
    world.instant = None
    watcher = world.watcher()
    world.show(raw_event())
    poll(world, watcher, 3)
    world.show(raw_event(notice=None), raw_event(OTHER_ID))
    poll(world, watcher, 3)
    assert [(run.phase, run.event["event_id"]) for run in world.runs] == [("new", ID), ("new", OTHER_ID)]
    world.runs[0].how = "exit status 0"
    watcher.wait(0)
    assert world.phases == ["new", "new", "started"]


def test_only_so_many_commands_at_once(world: World) -> None:
    world.instant = None
    watcher = world.watcher()
    world.show(*(raw_event(f"{number:08d}{ID[8:]}") for number in range(AT_ONCE + 2)))
    poll(world, watcher)
    assert len(world.runs) == AT_ONCE
    for run in world.runs:
        run.how = "exit status 0"
    watcher.wait(0)
    assert len(world.runs) == AT_ONCE + 2


# --- restarts -----------------------------------------------------------------------------------------------------


def test_a_restart_repeats_nothing_that_has_ended(world: World) -> None:
    world.show(raw_event())
    poll(world, world.watcher())
    poll(world, world.watcher(), 3)
    assert world.phases == ["new"]
    world.show(raw_event(notice=None))
    poll(world, world.watcher())
    world.show()
    poll(world, world.watcher(), 2)
    assert world.phases == ["new", "started", "gone"]


def test_what_happens_while_it_is_down_is_found_afterwards(world: World) -> None:
    world.show(raw_event())
    poll(world, world.watcher())
    world.show(raw_event(OTHER_ID))
    poll(world, world.watcher(), 2)
    assert world.phases == ["new", "gone", "new"]


def test_a_command_that_was_killed_with_the_watcher_is_repeated(world: World) -> None:
    world.instant = None
    world.show(raw_event())
    poll(world, world.watcher())
    world.instant = "exit status 0"
    poll(world, world.watcher(), 3)
    assert world.phases == ["new", "new"]


def test_it_is_not_repeated_when_the_event_has_gone_on(world: World) -> None:
    """The reboot that was announced has killed the command: to drain afterwards would do harm."""
    world.instant = None
    world.show(raw_event())
    poll(world, world.watcher())
    world.instant = "exit status 0"
    world.show()
    poll(world, world.watcher(), 3)
    assert world.phases == ["new", "gone"]
    assert any("not repeated" in line for _level, line in world.lines)


def test_a_kill_before_the_state_was_written_repeats(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = world.watcher()
    poll(world, watcher)
    world.show(raw_event())
    with monkeypatch.context() as patch:
        patch.setattr(Watcher, "_save", lambda _self: None)
        poll(world, watcher)
    poll(world, world.watcher())
    assert world.phases == ["new", "new"]


def test_an_unusable_state_is_set_aside(world: World) -> None:
    (world.folder / "state.json").write_text("{", encoding="ascii")
    world.show(raw_event())
    poll(world, world.watcher())
    assert world.phases == ["new"]
    assert (world.folder / "state.json.unusable").read_text(encoding="ascii") == "{"
    assert "commands may be repeated" in world.lines[0][1]


def test_a_full_disk_stops_nothing(world: World) -> None:
    watcher = world.watcher(state_file=str(world.folder / "missing" / "state.json"))
    world.show(raw_event())
    poll(world, watcher, 3)
    world.show()
    poll(world, watcher, 3)
    assert world.phases == ["new", "gone"]
    assert len([line for level, line in world.lines if level == 3]) == 1


def test_polls_without_news_write_nothing(world: World) -> None:
    watcher = world.watcher()
    world.show(raw_event())
    poll(world, watcher)
    (world.folder / "state.json").unlink()
    poll(world, watcher, 5)
    assert not (world.folder / "state.json").exists()


# --- the end ------------------------------------------------------------------------------------------------------


def test_a_command_may_end_while_the_watcher_stops(world: World) -> None:
    world.instant = None
    watcher = world.watcher()
    world.show(raw_event())
    poll(world, watcher)

    def sleep(seconds: float) -> None:
        world.now += seconds
        if world.now > 1030:
            world.runs[0].how = "exit status 0"

    watcher.finish(sleep)
    assert not world.runs[0].asked_to_end
    assert world.state["due"] == []
    poll(world, world.watcher())
    assert world.phases == ["new"]


def test_a_command_that_goes_on_is_ended_and_repeated(world: World) -> None:
    world.instant = None
    watcher = world.watcher(stop_timeout=5)
    world.show(raw_event())
    poll(world, watcher)
    before = world.now
    watcher.finish(world.sleep)
    assert 5 <= world.now - before < 6
    assert world.runs[0].asked_to_end
    poll(world, world.watcher())
    assert world.phases == ["new", "new"]


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failures", [[503], [503, 500, 503], [429, 429], ["read_timeout"], ["no_route"] * 40, [503] * 60], ids=len
)
def test_errors_pass(world: World, failures: list[int | str]) -> None:
    watcher = world.watcher()
    poll(world, watcher)
    world.show(raw_event())
    world.failures = list(failures)
    while not world.runs:
        poll(world, watcher)
        assert len(world.sent) < 200
    poll(world, watcher, 3)
    assert world.phases == ["new"]


def test_it_asks_less_often_while_there_are_errors(world: World) -> None:
    watcher = world.watcher(longest_wait=10)
    poll(world, watcher)
    world.failures = [503] * 1000
    start, before = world.now, len(world.sent)
    while world.now < start + 600:
        poll(world, watcher)
    assert len(world.sent) - before < 200
    assert len([line for level, line in world.lines if level == 4]) == 1  # one line, not one per poll
    world.failures = []
    poll(world, watcher, 2)
    times = [at for at, _target in world.sent[-2:]]
    assert times[1] - times[0] == pytest.approx(1)


def test_without_its_own_name_it_runs_nothing(world: World) -> None:
    watcher = world.watcher()
    world.failures = [404, 404]
    world.show(raw_event())
    poll(world, watcher)
    assert world.phases == []
    poll(world, watcher, 5)
    assert world.phases == ["new"]


@pytest.mark.parametrize("how", ["exit status 1", "signal 9"])
def test_a_command_that_fails_is_logged_and_not_repeated(world: World, how: str) -> None:
    world.instant = how
    world.show(raw_event())
    poll(world, world.watcher(), 3)
    poll(world, world.watcher(), 3)
    assert world.phases == ["new"]
    assert [line for level, line in world.lines if level == 3] == [f"new of event {ID}: the command ended with {how}"]


def test_a_command_that_can_not_be_started_is_logged(world: World) -> None:
    world.missing = True
    world.show(raw_event())
    poll(world, world.watcher(), 3)
    (line,) = [line for level, line in world.lines if level == 3]
    assert "/drain can't be run" in line


def test_nothing_piles_up(world: World) -> None:
    """What a poll leaves behind is the same after many."""
    watcher = world.watcher(interval=0)
    world.show(raw_event())
    poll(world, watcher, 200)
    assert watcher._observer._service.client.attempts[1:] == []
    assert len(watcher._ledger) == 0
    assert watcher._runs == {}
