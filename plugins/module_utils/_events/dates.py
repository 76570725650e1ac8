# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dates of scheduled events. IMDS writes RFC 1123; previews and stand-ins wrote other forms. Pure.

Not email.utils, which loads much and reads nonsense as a date.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FLAGS = re.IGNORECASE | re.ASCII
_TIME = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?"
_ZONE = r"(Z|GMT|UTC?|[+-][0-9]{2}(?::?[0-9]{2})?)"
# RFC 1123, 850 and 822: Tue, 16 Mar 2021 00:58:46 GMT; Tuesday, 16-Mar-21 00:58:46 GMT; 16 Mar 21 00:58 +0000
_MAIL = re.compile(
    rf"(?:[a-z]+,? +)?([0-9]{{1,2}})[ -]([a-z]{{3}})[ -]([0-9]{{4}}|[0-9]{{2}}) +{_TIME} +{_ZONE}", _FLAGS
)
# The third form of HTTP: Tue Mar 16 00:58:46 2021
_ASCTIME = re.compile(rf"[a-z]+ +([a-z]{{3}}) +([0-9]{{1,2}}) +{_TIME} +([0-9]{{4}})", _FLAGS)
# ISO 8601: 2021-03-16T00:58:46Z, 2021-03-16 00:58:46.123+01:00
_ISO = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})[T ]{_TIME} *{_ZONE}?", _FLAGS)


def parse(text: str) -> int | None:
    """Unix seconds of a date, without its fraction of a second; None for what is no date.

    A date without a zone is taken for UTC, because IMDS writes all its dates in GMT.
    """
    text = text.strip()
    found = _MAIL.fullmatch(text)
    if found:
        day, month, year, hour, minute, second, zone = found.groups()
        return _seconds(_year(year), _month(month), day, hour, minute, second, zone)
    found = _ASCTIME.fullmatch(text)
    if found:
        month, day, hour, minute, second, year = found.groups()
        return _seconds(year, _month(month), day, hour, minute, second, None)
    found = _ISO.fullmatch(text)
    return _seconds(*found.groups()) if found else None


def iso(seconds: int) -> str:
    """Unix seconds as ISO 8601 in UTC, such as 2021-03-16T00:58:46Z."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _year(text: str) -> str:
    """Two digits mean 1970 to 2069."""
    return text if len(text) == 4 else f"{'19' if text >= '70' else '20'}{text}"


def _month(name: str) -> str:
    return str(_MONTHS.index(name.lower()) + 1) if name.lower() in _MONTHS else "0"


def _seconds(
    year: str, month: str, day: str, hour: str, minute: str, second: str | None, zone: str | None
) -> int | None:
    digits = (zone or "").lstrip("+-").replace(":", "").ljust(4, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) if digits.isdecimal() else timedelta()
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=timezone.utc)
        since = (local + ahead if (zone or "").startswith("-") else local - ahead) - _EPOCH
    except (ValueError, OverflowError):
        return None
    return since.days * 86400 + since.seconds
