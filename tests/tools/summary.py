# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summary of a test run, from nox' reports and the JUnit files: what ran, what was skipped and why, what failed.

summary.py BUILD_DIRECTORY
"""

from __future__ import annotations

import json
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
    # JUnit files with a failure, by name.
    failed_files: set[str] = field(default_factory=set)

    def add_file(self, file: Path) -> None:
        for case in ElementTree.parse(file).iter("testcase"):
            skip = case.find("skipped")
            failure = case.find("failure")
            failure = case.find("error") if failure is None else failure
            if failure is not None:
                self.failed.append(f"{file.stem}: {name_of(case)}: {message_of(failure)}")
                self.failed_files.add(file.stem)
            elif skip is not None:
                self.skipped[f"{file.stem}: {skip.get('message') or 'a task whose condition did not hold'}"] += 1
            else:
                self.passed += 1

    def add_session(self, name: str, reason: str) -> None:
        """Count a session that failed without a failed test, such as a linter's, as one failure."""
        if not any(stem.startswith(name.replace("(", "-").rstrip(")")) for stem in self.failed_files):
            self.failed.append(f"{name}: {reason or 'see its output'}")


def name_of(case: ElementTree.Element) -> str:
    return "::".join(filter(None, (case.get("classname"), case.get("name"))))


def message_of(failure: ElementTree.Element) -> str:
    """The message's first line that says something."""
    lines = f"{failure.get('message') or ''}\n{failure.text or ''}".splitlines()
    return next((line.strip() for line in lines if line.strip()), "no message")[:MESSAGE_LENGTH]


def main(build: Path) -> None:
    outcome = Outcome()
    for file in sorted((build / "junit").glob("*.xml")):
        outcome.add_file(file)
    print("\nSessions")
    for report in sorted((build / "report").glob("*.json")):
        for session in json.loads(report.read_text(encoding="utf-8"))["sessions"]:
            name, reason = session["signatures"][-1], session["reason"]
            print(f"  {session['result']:<8} {session['duration']:6.0f} s  {name}{f': {reason}' if reason else ''}")
            if session["result"] in ("failed", "aborted"):
                outcome.add_session(name, reason)
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
