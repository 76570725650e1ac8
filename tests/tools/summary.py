# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summary of a test run, from nox' reports and the JUnit files: what ran, what was skipped and why, what failed.

summary.py BUILD_DIRECTORY
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

# Of a failure's message, enough to recognise it. The whole message is in the output of its session.
MESSAGE_LENGTH = 300


@dataclass
class Outcome:
    """What came of all tests: how many passed, skipped tests by reason, and a line for each failure."""

    passed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add_file(self, file: Path, session_failed: bool) -> None:
        """Count a JUnit file's test cases.

        In a session that succeeded, a failed case is a task of Ansible that a test meant to fail, and rescued.
        """
        for case in ElementTree.parse(file).iter("testcase"):
            skip = case.find("skipped")
            failure = case.find("failure")
            failure = case.find("error") if failure is None else failure
            if failure is not None and session_failed:
                self.failed.append(f"{file.stem}: {name_of(case)}: {message_of(failure)}")
            elif skip is not None:
                self.skipped[f"{file.stem}: {skip.get('message') or 'a task whose condition did not hold'}"] += 1
            else:
                self.passed += 1


@dataclass
class Session:
    """A session of nox, as its report has it."""

    name: str
    result: str
    reason: str
    duration: float

    @property
    def failed(self) -> bool:
        return self.result in ("failed", "aborted")

    def wrote(self, file: Path) -> bool:
        """Whether a JUnit file is this session's: ``units(2.16-3.10)`` writes ``units-2.16-3.10-0.xml``."""
        stem = re.sub(r"[(_]", "-", self.name).rstrip(")")
        return file.stem == stem or file.stem.startswith(f"{stem}-")


def sessions_of(build: Path) -> list[Session]:
    return [
        Session(entry["signatures"][-1], entry["result"], entry["reason"], entry["duration"])
        for report in sorted((build / "report").glob("*.json"))
        for entry in json.loads(report.read_text(encoding="utf-8"))["sessions"]
    ]


def name_of(case: ElementTree.Element) -> str:
    return "::".join(filter(None, (case.get("classname"), case.get("name"))))


def message_of(failure: ElementTree.Element) -> str:
    """The message's first line that says something."""
    lines = f"{failure.get('message') or ''}\n{failure.text or ''}".splitlines()
    return next((line.strip() for line in lines if line.strip()), "no message")[:MESSAGE_LENGTH]


def main(build: Path) -> None:
    sessions = sessions_of(build)
    outcome = Outcome()
    with_failed_tests = set()
    for file in sorted((build / "junit").glob("*.xml")):
        # unit-slow.xml also begins like a file of the session unit.
        writer = max(filter(lambda session: session.wrote(file), sessions), key=lambda one: len(one.name), default=None)
        before = len(outcome.failed)
        outcome.add_file(file, session_failed=writer is None or writer.failed)
        if writer and len(outcome.failed) > before:
            with_failed_tests.add(writer.name)
    print("\nSessions")
    for session in sessions:
        reason = f": {session.reason}" if session.reason else ""
        print(f"  {session.result:<8} {session.duration:6.0f} s  {session.name}{reason}")
        # What fails without a failed test, such as a linter, is one failure.
        if session.failed and session.name not in with_failed_tests:
            outcome.failed.append(f"{session.name}: {session.reason or 'see its output'}")
    print("\nSkipped tests")
    for reason, number in sorted(outcome.skipped.items()) or [("none", 0)]:
        print(f"  {number:4} {reason}")
    # Last, because of a long run often only the end is kept.
    if outcome.failed:
        print("\nFailed tests")
        for line in outcome.failed:
            print(f"  {line}")
    print(f"\n{outcome.passed} passed, {len(outcome.failed)} failed, {outcome.skipped.total()} skipped")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
