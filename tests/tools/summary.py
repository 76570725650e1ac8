# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summary of a test run, from nox' reports and the JUnit files: what ran, what failed, what was skipped and why.

summary.py BUILD_DIRECTORY
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree


def main(build: Path) -> None:
    print("\nSessions")
    broken: list[str] = []
    for report in sorted((build / "report").glob("*.json")):
        for session in json.loads(report.read_text(encoding="utf-8"))["sessions"]:
            name, reason = session["signatures"][-1], f": {session['reason']}" if session["reason"] else ""
            print(f"  {session['result']:<8} {session['duration']:6.0f} s  {name}{reason}")
            broken += [name] if session["result"] in ("failed", "aborted") else []
    counts: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    failures: set[str] = set()
    for file in sorted((build / "junit").glob("*.xml")):
        for case in ElementTree.parse(file).iter("testcase"):
            skip = case.find("skipped")
            if skip is not None:
                counts["skipped"] += 1
                skipped[f"{file.stem}: {skip.get('message') or 'a task whose condition did not hold'}"] += 1
            elif case.find("failure") is not None or case.find("error") is not None:
                counts["failed"] += 1
                failures.add(file.stem)
            else:
                counts["passed"] += 1
    # What fails without a failed test, such as a linter, is one failure.
    for name in broken:
        counts["failed"] += not any(stem.startswith(name.replace("(", "-").rstrip(")")) for stem in failures)
    print("\nSkipped tests")
    for reason, number in sorted(skipped.items()) or [("none", 0)]:
        print(f"  {number:4} {reason}")
    print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
