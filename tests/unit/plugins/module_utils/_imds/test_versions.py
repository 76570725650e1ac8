# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import versions
from hypothesis import given
from hypothesis import strategies as st


def test_the_table_of_versions() -> None:
    assert len(versions.INSTANCE) == len(set(versions.INSTANCE)) == 35
    assert list(versions.INSTANCE) == sorted(versions.INSTANCE)
    assert set(versions.LADDER) <= set(versions.INSTANCE)
    assert list(versions.LADDER) == sorted(versions.LADDER, reverse=True)
    assert versions.LADDER[0] == versions.INSTANCE[-1] == "2025-04-07"
    assert versions.TAGS_LIST_SINCE in versions.LADDER
    assert not set(versions.UNDOCUMENTED) & set(versions.INSTANCE)


@pytest.mark.parametrize(
    ("pinned", "doubtful"), [(None, False), ("2017-03-01", False), ("2025-07-24", False), ("2099-01-01", True)]
)
def test_only_a_version_that_nobody_knows_is_doubtful(pinned: str | None, doubtful: bool) -> None:
    found = versions.doubts(pinned)
    assert bool(found) is doubtful
    assert all(str(pinned) in warning for warning in found)


SINCE = "2017-04-02"


@pytest.mark.parametrize(
    ("refused", "offered", "since", "lower"),
    [
        # the newest of what is offered
        ("2025-04-07", ["2020-10-01", "2020-09-01"], SINCE, "2020-10-01"),
        ("2025-04-07", ["2024-07-17", "2024-03-15", "2023-11-15"], SINCE, "2024-07-17"),
        # never above, nor the same again
        ("2023-07-01", ["2025-04-07", "2023-07-01", "2021-12-13"], SINCE, "2021-12-13"),
        # one that this release does not know is not tried, however old or new
        ("2025-04-07", ["2029-01-01", "2024-12-31", "2020-10-01"], SINCE, "2020-10-01"),
        # nothing usable is offered: the ladder
        ("2025-04-07", [], SINCE, "2023-11-15"),
        ("2025-04-07", ["2029-01-01"], SINCE, "2023-11-15"),
        ("2025-04-07", ["nonsense"], SINCE, "2023-11-15"),
        ("2020-10-01", [], SINCE, "2019-11-01"),
        # the end of the ladder
        ("2019-06-04", [], SINCE, "2017-04-02"),
        ("2017-04-02", [], SINCE, None),
        ("2017-03-01", ["2017-04-02"], SINCE, None),
        # not below the first version that has what is asked for
        ("2021-02-01", ["2020-09-01"], "2020-10-01", None),
        ("2021-12-13", ["2020-09-01", "2020-10-01"], "2020-10-01", "2020-10-01"),
    ],
)
def test_the_next_older_version_is_chosen(refused: str, offered: list[str], since: str, lower: str | None) -> None:
    assert versions.step_down(refused, offered, since) == lower


@given(
    st.lists(st.sampled_from(versions.INSTANCE) | st.text(max_size=12), max_size=5),
    st.sampled_from(versions.INSTANCE),
)
def test_stepping_down_comes_to_an_end(offered: list[str], since: str) -> None:
    version: str | None = versions.LADDER[0]
    seen = []
    while version:
        seen.append(version)
        version = versions.step_down(version, offered, since)
    assert len(seen) == len(set(seen)) <= len(versions.INSTANCE)
    assert seen == sorted(seen, reverse=True)
    assert all(since <= version for version in seen[1:])
