# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the watcher asks: once per interval, and less often while there are errors."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._watcher.pace import Pace


def waits(pace: Pace, errors: int) -> list[float]:
    return [pace.failed(100.0) - 100.0 for _error in range(errors)]


def test_the_interval_counts_from_the_answer() -> None:
    assert Pace(1, 10).answered(50.0) == 51.0


def test_waits_double_up_to_the_longest() -> None:
    assert waits(Pace(1, 10), 6) == [1, 2, 4, 8, 10, 10]


def test_an_answer_ends_the_waits() -> None:
    pace = Pace(1, 10)
    waits(pace, 4)
    assert pace.errors == 4
    pace.answered(0.0)
    assert (pace.errors, waits(pace, 2)) == (0, [1, 2])


@pytest.mark.parametrize(("interval", "expected"), [(0, [1, 2, 4]), (3, [3, 6, 10]), (30, [30, 30, 30])])
def test_a_wait_is_never_shorter_than_the_interval(interval: float, expected: list[float]) -> None:
    assert waits(Pace(interval, 10), 3) == expected


def test_errors_for_years_end_in_no_error() -> None:
    assert waits(Pace(1, 10), 5000)[-1] == 10
