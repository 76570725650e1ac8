# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signed content: JSON as the metadata service writes it -> a typed document. Pure.

Keys by api-version (Microsoft's reference of the Instance Metadata Service): vmId, nonce, plan and timeStamp since
2018-10-01, subscriptionId since 2019-04-30, sku since 2019-11-01, licenseType since 2020-09-01.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, NoReturn

MAX_DEPTH = 64

_TIME = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)
_ZULU = re.compile("[Zz]$")  # which Python 3.10 does not understand
_PLAN_KEYS = ("name", "product", "publisher")
_KNOWN = {"licenseType", "nonce", "plan", "sku", "subscriptionId", "timeStamp", "vmId"}


class Document(NamedTuple):
    """What the metadata service states. Absent and empty values are ``""``; times are aware.

    ``plan`` has name, product and publisher; ``other`` holds keys this release does not know, as they came.
    """

    vm_id: str
    subscription_id: str
    sku: str
    license_type: str
    plan: dict[str, str]
    nonce: str
    created_on: datetime
    expires_on: datetime
    other: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The document as a result shows it: ISO 8601 times in UTC, ``None`` for what is empty."""
        return {
            "vm_id": self.vm_id,
            "subscription_id": self.subscription_id or None,
            "sku": self.sku or None,
            "license_type": self.license_type or None,
            "plan": {key: value or None for key, value in self.plan.items()},
            "nonce": self.nonce or None,
            "created_on": iso(self.created_on),
            "expires_on": iso(self.expires_on),
            "other": self.other,
        }


def iso(moment: datetime) -> str:
    """``2026-07-28T13:24:00Z``."""
    # Not strftime, which writes the year 1 with one digit.
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_moment(value: Any) -> datetime:
    """An ISO 8601 time, in UTC; without an offset it is UTC.

    :raises ValueError: it is none.
    """
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(_ZULU.sub("+00:00", value.strip()))
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except (ValueError, AttributeError, OverflowError) as error:
        raise ValueError("not an ISO 8601 time such as 2026-07-28T13:25:00Z") from error


def load_object(text: bytes | str) -> dict[str, Any]:
    """A JSON object in UTF-8 whose keys are unique, of at most 64 levels, that can be written as JSON again.

    :raises ValueError: it is anything else.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        loaded = _DECODER.decode(text)
        if _is_deep(loaded):
            raise ValueError("nested too deeply")
        # Half a surrogate pair can't be shown to anyone, and 1e999 would come out as Infinity.
        _ENCODER.encode(loaded).encode("utf-8")
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(loaded, dict):
        raise ValueError("not a JSON object")
    return loaded


def decode(content: bytes) -> Document:
    """Read the signed content.

    :raises ValueError: not UTF-8 JSON, a key twice, a key missing, or a value of another type.
    """
    loaded = load_object(content)
    times = _part(loaded, "timeStamp")
    plan = _part(loaded, "plan")
    vm_id = _text(loaded, "vmId")
    if not vm_id:
        raise ValueError("vmId is missing or empty")
    return Document(
        vm_id,
        _text(loaded, "subscriptionId"),
        _text(loaded, "sku"),
        _text(loaded, "licenseType"),
        {key: _text(plan, key) for key in _PLAN_KEYS},
        _text(loaded, "nonce"),
        _time(times, "createdOn"),
        _time(times, "expiresOn"),
        {key: value for key, value in loaded.items() if key not in _KNOWN},
    )


def _is_deep(value: Any) -> bool:
    """Whether lists and objects are nested more than 64 levels deep."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _part(loaded: dict[str, Any], key: str) -> dict[str, Any]:
    part = loaded.get(key, {})
    if not isinstance(part, dict):
        raise ValueError(f"{key} is not an object")
    return part


def _text(loaded: dict[str, Any], key: str) -> str:
    value = loaded.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a string")
    return value


def _time(times: dict[str, Any], key: str) -> datetime:
    """``MM/DD/YY HH:MM:SS -0000``, in this century."""
    match = _TIME.fullmatch(_text(times, key))
    if not match:
        raise ValueError(f"timeStamp.{key} is missing or not of the form MM/DD/YY HH:MM:SS -0000")
    month, day, year, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    offset = timedelta(hours=int(match[8]), minutes=int(match[9])) * (-1 if match[7] == "-" else 1)
    return datetime(2000 + year, month, day, hour, minute, second, tzinfo=timezone(offset))
