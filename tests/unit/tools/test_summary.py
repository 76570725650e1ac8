# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The line that a test run ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.tools import summary

PASSED = "<testcase name='a'/>"
FAILED = "<testcase name='b'><failure message='no'/></testcase>"
SKIPPED = "<testcase name='c'><skipped message='no pwsh'/></testcase>"


@pytest.mark.parametrize(
    ("sessions", "junit", "line"),
    [
        ({"unit": "success"}, {"unit": PASSED + SKIPPED}, "1 passed, 0 failed, 1 skipped"),
        ({"unit": "failed"}, {"unit": PASSED + FAILED}, "1 passed, 1 failed, 0 skipped"),
        ({"ruff": "failed", "unit": "success"}, {"unit": PASSED}, "1 passed, 1 failed, 0 skipped"),
        ({"units(2.16)": "failed"}, {"units-2.16-3.9-0": FAILED}, "0 passed, 1 failed, 0 skipped"),
        ({"standard": "aborted"}, {}, "0 passed, 1 failed, 0 skipped"),
        ({"sanity(2.16)": "skipped"}, {"sanity-2.16": SKIPPED}, "0 passed, 0 failed, 1 skipped"),
    ],
)
def test_the_last_line_counts_tests_and_what_fails_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sessions: dict[str, str], junit: dict[str, str], line: str
) -> None:
    for folder in ("report", "junit"):
        (tmp_path / folder).mkdir()
    entries = [
        {"signatures": [name], "result": result, "reason": "", "duration": 1.0} for name, result in sessions.items()
    ]
    (tmp_path / "report" / "all.json").write_text(json.dumps({"sessions": entries}))
    for name, cases in junit.items():
        (tmp_path / "junit" / f"{name}.xml").write_text(f"<testsuite>{cases}</testsuite>")
    summary.main(tmp_path)
    assert capsys.readouterr().out.splitlines()[-1] == line
