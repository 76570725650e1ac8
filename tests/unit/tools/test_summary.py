# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test run ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.tools import summary

PASSED = "<testcase name='a'/>"
FAILED = "<testcase classname='tests.b' name='b'><failure message='&#10;no&#10;more'/></testcase>"
SKIPPED = "<testcase name='c'><skipped message='no pwsh'/></testcase>"

# Sessions with their results and JUnit files with their test cases -> the lines of the summary.
Summary = Callable[[dict[str, str], dict[str, str]], list[str]]


@pytest.fixture(name="lines")
def _lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Summary:
    def lines(sessions: dict[str, str], junit: dict[str, str]) -> list[str]:
        for folder in ("report", "junit"):
            (tmp_path / folder).mkdir()
        entries = [
            {"signatures": [name], "result": result, "reason": "", "duration": 1.0} for name, result in sessions.items()
        ]
        (tmp_path / "report" / "all.json").write_text(json.dumps({"sessions": entries}))
        for name, cases in junit.items():
            (tmp_path / "junit" / f"{name}.xml").write_text(f"<testsuite>{cases}</testsuite>")
        summary.main(tmp_path)
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.parametrize(
    ("sessions", "junit", "line"),
    [
        ({"unit": "success"}, {"unit": PASSED + SKIPPED}, "1 passed, 0 failed, 1 skipped"),
        ({"unit": "failed"}, {"unit": PASSED + FAILED}, "1 passed, 1 failed, 0 skipped"),
        ({"ruff": "failed", "unit": "success"}, {"unit": PASSED}, "1 passed, 1 failed, 0 skipped"),
        ({"units(2.16-3.9)": "failed"}, {"units-2.16-3.9-0": FAILED}, "0 passed, 1 failed, 0 skipped"),
        ({"unit": "failed", "unit_slow": "success"}, {"unit-slow": PASSED}, "1 passed, 1 failed, 0 skipped"),
        ({"unit": "failed", "unit_slow": "failed"}, {"unit-slow": FAILED}, "0 passed, 2 failed, 0 skipped"),
        ({"unit": "success", "unit_slow": "failed"}, {"unit-slow": FAILED}, "0 passed, 1 failed, 0 skipped"),
        # A task that fails as the test expects.
        ({"integration(2.16)": "success"}, {"integration-2.16-0": FAILED}, "1 passed, 0 failed, 0 skipped"),
        ({"standard": "aborted"}, {}, "0 passed, 1 failed, 0 skipped"),
        ({"sanity(2.16)": "skipped"}, {"sanity-2.16": SKIPPED}, "0 passed, 0 failed, 1 skipped"),
    ],
)
def test_the_last_line_counts_tests_and_what_fails_without_one(
    lines: Summary, sessions: dict[str, str], junit: dict[str, str], line: str
) -> None:
    assert lines(sessions, junit)[-1] == line


def test_failures_are_named_right_before_the_last_line(lines: Summary) -> None:
    found = lines({"unit": "failed", "ruff": "failed"}, {"unit": PASSED + FAILED + SKIPPED})
    assert found[-5:-2] == ["Failed tests", "  unit: tests.b::b: no", "  ruff: see its output"]
