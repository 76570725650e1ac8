# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs every tool in every situation.

Rounds go through all the tools, so that whatever else the machine does meets each of them alike.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from ansible_collections.imds.azure.tests.lab.state import REPOSITORY

from . import stage as stages
from .install import PATH, MissingError, Programs
from .results import Ending, Normal, Row
from .stage import ELSEWHERE, HERE, ON_AZURE, PROXY, PYTHON, SILENT, Stage
from .tools import Command, Tool

THROTTLED = 2  # requests that are answered with 429
_MEMORY_ROUNDS = 3
_PATIENCE = 60.0  # seconds until a tool is ended that does not give up
# Seconds between two runs on a VM. IMDS allows few requests per second, and one tool shall not pay for another.
_REST = 1.0
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class Candidate:
    """A tool that is here, on its stage."""

    def __init__(self, tool: Tool, stage: Stage, programs: Programs) -> None:
        self.tool = tool
        self.stage = stage
        self._words = {
            **programs,
            "here": str(HERE),
            "python": PYTHON,
            "collection": str(REPOSITORY),
            "collections": str(REPOSITORY.parents[2]),
        }
        self.version = ""

    def _command(self, command: Command) -> list[str]:
        return [word.format_map(self._words) for word in command]

    def run(self, vm: str, command: Command, more: Mapping[str, str] | None = None, **job: Any) -> dict[str, Any]:
        """Run one of the tool's commands. See `Stage.run`.

        :param more: added to the environment
        """
        own = {name: value.format_map(self._words) for name, value in self.tool.environment.items()}
        environment = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "USER": "root", **own, **(more or {})}
        time.sleep(_REST)
        return self.stage.run(vm, self._command(command), environment, **job)

    def prepare(self) -> None:
        """Make the VMs what the tool needs.

        :raises MissingError: if it does not work here
        """
        home = self.stage.home
        evidence = [(vm, command) for vm in (home, SILENT) for command in self.tool.evidence]
        if self.tool.stated:
            evidence = [(vm, command) for vm, command in evidence if vm == home]
        setup = [(vm, command) for vm in self._vms() for command in self.tool.setup]
        for vm, command in (*evidence, *setup):
            self._do(vm, command)
        found = re.search(self.tool.pattern, self._do(home, self.tool.version))
        if not found:
            raise MissingError("its version is not told")
        self.version = found[found.re.groups]

    def _vms(self) -> tuple[str, ...]:
        return (ON_AZURE, SILENT, ELSEWHERE) if self.stage.home == ON_AZURE else (self.stage.home, ELSEWHERE)

    def _do(self, vm: str, command: Command) -> str:
        done = self.run(vm, command)
        output = str(done["output"])
        if done["code"] != 0:
            raise MissingError(f"it does not run here: {(output.strip() or 'no reason given').splitlines()[-1]}")
        return output

    # --- runs in which nothing is wrong ---

    def once(self, memory: bool) -> tuple[dict[str, Any], int]:
        """A run, and how many requests it took.

        :raises MissingError: if it does not print what it is for
        """
        with self.stage.service() as service:
            done = self.run(self.stage.home, self.tool.command, memory=memory)
            requests = len(service.entries())
        if done["code"] != 0 or not (self._knows(done) or self.tool.stated):
            last = (str(done["output"]).strip() or "it printed nothing").splitlines()[-1]
            raise MissingError(f"it finds no metadata here: {last[:100]}")
        return done, requests

    def _knows(self, done: Mapping[str, Any]) -> bool:
        return self.stage.known in str(done["output"]).lower()

    # --- runs in which something is ---

    def _ending(self, done: Mapping[str, Any], **more: int) -> Ending:
        return Ending(self._knows(done), done["code"], round(done["seconds"], 3), **more)

    def throttled(self) -> Ending:
        with self.stage.service(THROTTLED) as service:
            done = self.run(self.stage.home, self.tool.command, seconds=_PATIENCE)
            return self._ending(done, requests=len(service.entries()))

    def proxied(self) -> Ending:
        variables = {cased: f"http://{PROXY}" for name in _PROXIES for cased in (name, name.upper())}
        with self.stage.service() as service, self.stage.proxy() as proxy:
            done = self.run(self.stage.home, self.tool.command, variables, seconds=_PATIENCE)
            return self._ending(done, requests=len(service.entries()), proxied=len(proxy.entries()))

    def unanswered(self, vm: str) -> Ending:
        with self.stage.packets(vm) as packets:
            done = self.run(vm, self.tool.command, seconds=_PATIENCE)
            sent = packets.entries()
        return self._ending(done, packets=len(sent), connections=len({entry["port"] for entry in sent}))


def rows(tools: Sequence[Tool], build: Path, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Measure.

    :param build: the directory that tools are installed in
    :param rounds: of which the medians are
    :param say: is told what goes on
    :raises LabError: where this machine allows no lab
    """
    missing: dict[str, str] = {}
    programs: dict[str, Programs] = {}
    for tool in tools:
        say(f"get {tool.name}")
        try:
            programs[tool.name] = tool.install(build)
        except MissingError as error:
            missing[tool.name] = str(error)
    done: dict[str, Row] = {}
    for ec2, opened in ((False, stages.azure), (True, stages.ec2)):
        here = [tool for tool in tools if tool.ec2 == ec2 and tool.name in programs]
        if here:
            with opened() as stage:
                candidates = [Candidate(tool, stage, programs[tool.name]) for tool in here]
                done.update(_measure(candidates, rounds, missing, say))
    return [done.get(tool.name) or Row(tool.name, tool.group, missing=missing[tool.name]) for tool in tools]


def _measure(
    candidates: Sequence[Candidate], rounds: int, missing: dict[str, str], say: Callable[[str], None]
) -> dict[str, Row]:
    """Row by name; what can't be measured is added to missing."""
    fit = _try(candidates, lambda candidate: candidate.prepare(), missing)
    for candidate in fit:
        say(f"{candidate.tool.name}: {candidate.version}")
    # The first round fills caches and is not counted.
    fit = _try(fit, lambda candidate: candidate.once(memory=False), missing)
    timed: dict[str, list[tuple[dict[str, Any], int]]] = {candidate.tool.name: [] for candidate in fit}
    weighed: dict[str, list[int]] = {candidate.tool.name: [] for candidate in fit}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        fit = _try(fit, lambda candidate: timed[candidate.tool.name].append(candidate.once(memory=False)), missing)
    for _number in range(_MEMORY_ROUNDS):
        fit = _try(
            fit,
            lambda candidate: weighed[candidate.tool.name].append(candidate.once(memory=True)[0]["peak_kib"]),
            missing,
        )
    result = {}
    for candidate in fit:
        runs = timed[candidate.tool.name]
        normal = Normal(
            requests=int(median(requests for _run, requests in runs)),
            seconds=round(median(run["seconds"] for run, _requests in runs), 4),
            cpu=round(median(run["cpu"] for run, _requests in runs), 4),
            peak_kib=int(median(weighed[candidate.tool.name])),
        )
        say(f"{candidate.tool.name}: {normal}")
        result[candidate.tool.name] = _row(candidate, normal, say)
    return result


def _try(candidates: Sequence[Candidate], work: Callable[[Candidate], Any], missing: dict[str, str]) -> list[Candidate]:
    """Those for which it works."""
    fit = []
    for candidate in candidates:
        try:
            work(candidate)
        except MissingError as error:
            missing[candidate.tool.name] = str(error)
        else:
            fit.append(candidate)
    return fit


def _row(candidate: Candidate, normal: Normal, say: Callable[[str], None]) -> Row:
    tool = candidate.tool
    row = Row(tool.name, tool.group, tool.baseline, candidate.version, stated=tool.stated, normal=normal)
    if tool.stated:
        return row
    endings = {
        "throttled": candidate.throttled(),
        "proxied": candidate.proxied(),
        "elsewhere": candidate.unanswered(ELSEWHERE),
        "silent": None if tool.ec2 else candidate.unanswered(SILENT),
    }
    say(f"{tool.name}: {endings}")
    return Row(**{**vars(row), **endings})
