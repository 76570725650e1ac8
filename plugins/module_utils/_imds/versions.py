# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API versions of the instance endpoint, and the ladder to step down where IMDS does not know the newest."""

from __future__ import annotations

# All 35 that IMDS documents, oldest first.
INSTANCE = (
    "2017-03-01",
    "2017-04-02",
    "2017-08-01",
    "2017-10-01",
    "2017-12-01",
    "2018-02-01",
    "2018-04-02",
    "2018-10-01",
    "2019-02-01",
    "2019-03-11",
    "2019-04-30",
    "2019-06-01",
    "2019-06-04",
    "2019-08-01",
    "2019-08-15",
    "2019-11-01",
    "2020-06-01",
    "2020-07-15",
    "2020-09-01",
    "2020-10-01",
    "2020-12-01",
    "2021-01-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2021-11-01",
    "2021-11-15",
    "2021-12-13",
    "2023-07-01",
    "2023-11-15",
    "2024-03-15",
    "2024-07-17",
    "2025-04-07",
)

# Versions that IMDS knows without documenting them.
UNDOCUMENTED = ("2025-07-24",)

# The newest version that this release was tested with, then the ones that each brought much.
LADDER = (
    "2025-04-07",
    "2023-11-15",
    "2023-07-01",
    "2021-12-13",
    "2021-02-01",
    "2019-11-01",
    "2019-06-04",
    "2017-04-02",
)

LOAD_BALANCER_SINCE = "2020-10-01"
ATTESTED_SINCE = "2018-10-01"
TAGS_LIST_SINCE = "2019-06-04"


def doubts(pinned: str | None) -> list[str]:
    """What to warn of where a version is pinned: nothing, or that this release does not know it."""
    if pinned is None or pinned in INSTANCE or pinned in UNDOCUMENTED:
        return []
    return [f"api_version: this release does not know {pinned}; IMDS was asked for it all the same."]


def step_down(refused: str, offered: list[str], since: str) -> str | None:
    """The version to try after one was refused, or None where none is left.

    :param refused: the version that IMDS does not know
    :param offered: the versions that its error names; only known, older ones are taken: never above what was tested
    :param since: the first version that has what is asked for
    """
    candidates = [version for version in offered if version in INSTANCE] + list(LADDER)
    return next((version for version in candidates if since <= version < refused), None)
