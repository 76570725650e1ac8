# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.document import decode, load_object
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(timezone.utc)),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_times(moment: datetime, offset: int) -> None:
    moment = moment.replace(microsecond=0)
    local = moment.astimezone(timezone(timedelta(minutes=offset)))
    text = local.strftime("%m/%d/%y %H:%M:%S %z")
    if local.year < 2000 or local.year > 2099:
        return
    assert decode(docs.content(timeStamp={"createdOn": text, "expiresOn": text})).created_on == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12/13/2019 00:33:40 -0000",
        "12/13/19 00:33:40",
        "12/13/19 00:33:40 UTC",
        "12/13/19 00:33:40 -00:00",
        " 12/13/19 00:33:40 -0000",
        "12/13/19 00:33:40 -0000\n",
        "2019-12-13T00:33:40Z",
        "02/30/19 00:33:40 -0000",
        "12/13/19 24:33:40 -0000",
        "12/13/19 00:33:60 -0000",
        "12/13/19 00:33:40 -2400",
        "12/13/19 00:33:40 +0000".translate({ord("1"): "\u0661"}),  # a digit, but not one of ASCII
    ],
)
def test_other_forms_of_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each part says it in its own words
        decode(docs.content(timeStamp={"createdOn": text, "expiresOn": "12/13/19 06:33:40 -0000"}))


@pytest.mark.parametrize("key", ["subscriptionId", "sku", "licenseType", "nonce", "plan", "timeStamp"])
@pytest.mark.parametrize("value", [1, True, ["x"], [{}]])
def test_other_types_are_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{key} is not"):
        decode(docs.content(**{key: value}))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b'"x"',
        b"\xef\xbb\xbf{}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 60000 + b"}",
        b"[" * 60000,
        b'{"a":' * 12000,
        b"{} {}",
    ],
)
def test_what_is_not_one_plain_object(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the parser's words
        load_object(text)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_read_or_refused(text: bytes | str) -> None:
    try:
        loaded = load_object(text)
    except ValueError:
        return
    assert isinstance(loaded, dict)
