# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import retry
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.tests.scenarios.imds.outcomes import ANSWERS, NO_HEADER, OLD_VERSION, VERSION, WAITS
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("status", "headers", "body", "root", "outcome"), ANSWERS)
def test_each_answer_has_its_outcome(
    status: int, headers: dict[str, str], body: bytes, root: bool, outcome: str
) -> None:
    assert retry.classify(Response(status, headers, body, "10.0.0.4"), root) == outcome


def test_every_outcome_is_in_the_table() -> None:
    assert set(retry.RULES) == set(WAITS)


@pytest.mark.parametrize("outcome", WAITS)
def test_each_outcome_has_its_waits(outcome: str) -> None:
    reason, waits = WAITS[outcome]
    assert retry.RULES[outcome].reason == reason
    assert reason in REASONS
    tries = len(waits) + 1
    assert [retry.wait(outcome, number + 1) for number in range(tries)] == [*waits, None]
    assert retry.wait(outcome, tries + 1) is None


@pytest.mark.parametrize("outcome", WAITS)
def test_only_throttling_has_jitter_and_obeys_retry_after(outcome: str) -> None:
    waits = WAITS[outcome][1]
    if waits:
        throttled = outcome == "throttled"
        assert retry.wait(outcome, 1, chance=1.0) == (waits[0] * 1.25 if throttled else waits[0])
        assert retry.wait(outcome, 1, retry_after="7") == (7 if throttled else waits[0])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("120", 120),
        ("9" * 400, float("inf")),
        (None, 1),
        ("", 1),
        ("-1", 1),
        ("1.5", 1),
        ("\xb2", 1),
        ("soon", 1),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert retry.wait("throttled", 1, header) == seconds
    assert retry.wait("throttled", 5, header) is None


@given(st.sampled_from(sorted(WAITS)), st.integers(1, 20), st.none() | st.text(max_size=8), st.floats(0, 1))
def test_waits_are_none_or_a_number(outcome: str, tries: int, header: str | None, chance: float) -> None:
    wait = retry.wait(outcome, tries, header, chance)
    assert wait is None or wait >= 0
    assert (wait is None) == (tries > len(WAITS[outcome][1]))


@pytest.mark.parametrize(
    ("body", "versions"),
    [
        (VERSION, ["2020-10-01", "2020-09-01", "2020-07-15"]),
        (b'{"newest-versions":["2020-07-15","2020-10-01"]}', ["2020-10-01", "2020-07-15"]),
        (b'{"newest-versions":["2020-07-15",7,null,["2020-10-01"],"x","2020-07-15-preview"]}', ["2020-07-15"]),
        (b'{"newest-versions":"2020-07-15"}', []),
        (b'{"newest-versions":{"2020-07-15":1}}', []),
        (b'{"error":"x"}', []),
        (OLD_VERSION, []),
        (b'["newest-versions"]', []),
        (b'"newest-versions"', []),
        (b"newest-versions", []),
        (b"\xff\xfe", []),
        (b"[" * 100_000, []),
        (b"", []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_newest_versions(body: bytes, versions: list[str]) -> None:
    assert retry.newest_versions(body) == versions


@given(
    st.integers(100, 999),
    st.dictionaries(st.sampled_from(["server", "via", "location", "content-type", "x"]), st.text(max_size=20)),
    st.binary(max_size=80) | st.sampled_from([VERSION, OLD_VERSION, NO_HEADER]),
    st.booleans(),
)
def test_any_answer_has_an_outcome(status: int, headers: Any, body: bytes, root: bool) -> None:
    outcome = retry.classify(Response(status, headers, body, "10.0.0.4"), root)
    assert outcome in retry.RULES
    assert outcome != "ok" or status == 200
