# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from email.utils import formatdate

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import dates
from hypothesis import given
from hypothesis import strategies as st

NOON = 1_615_855_426  # 2021-03-16T00:43:46Z


@pytest.mark.parametrize(
    "text",
    [
        "Tue, 16 Mar 2021 00:43:46 GMT",
        "tue, 16 mar 2021 00:43:46 gmt",
        " Tue, 16 Mar 2021 00:43:46 GMT ",
        "16 Mar 2021 00:43:46 GMT",
        "Tue, 16 Mar 2021 01:43:46 +0100",
        "Mon, 15 Mar 2021 19:13:46 -0530",
        "Tuesday, 16-Mar-21 00:43:46 GMT",
        "Tue, 16 Mar 21 00:43:46 UT",
        "Tue Mar 16 00:43:46 2021",
        "2021-03-16T00:43:46Z",
        "2021-03-16T00:43:46",
        "2021-03-16 00:43:46.1234567",
        "2021-03-16t00:43:46.9z",
        "2021-03-16T01:43:46+01:00",
        "2021-03-16T01:43:46+01",
        "2021-03-15T23:43:46-0100",
    ],
)
def test_all_forms_of_one_moment(text: str) -> None:
    assert dates.parse(text) == NOON
    assert dates.iso(NOON) == "2021-03-16T00:43:46Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("16 Mar 21 00:43 GMT", "2021-03-16T00:43:00Z"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
        ("Mon, 1 Jan 69 00:00:00 GMT", "2069-01-01T00:00:00Z"),
        ("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_other_moments(text: str, moment: str) -> None:
    seconds = dates.parse(text)
    assert seconds is not None
    assert dates.iso(seconds) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "0",
        "1615855426",
        "Tue, 16 Mar 2021 00:43:46",
        "Tue, 16 Mar 2021 00:43:46 CET",
        "Tue, 16 Foo 2021 00:43:46 GMT",
        "Tue, 30 Feb 2021 00:43:46 GMT",
        "Tue, 16 Mar 2021 25:43:46 GMT",
        "2021-13-16T00:43:46Z",
        "2021-03-16",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "\N{FULLWIDTH DIGIT TWO}021-03-16T00:43:46Z",
        "2021-03-16T00:43:46Z\nx",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert dates.parse(text) is None


@given(st.integers(0, 250_000_000_000))
def test_what_imds_writes_is_read(seconds: int) -> None:
    assert dates.parse(formatdate(seconds, usegmt=True)) == seconds
    assert dates.parse(dates.iso(seconds)) == seconds


@given(st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?([+-][0-9]{2}:[0-9]{2})?"))
def test_any_text_is_a_date_or_none(text: str) -> None:
    seconds = dates.parse(text)
    assert seconds is None or dates.parse(dates.iso(seconds)) == seconds
