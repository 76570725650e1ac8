# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts that reports of Linux and of Windows have in common, and how large a report may be. Pure.

A host reports only rows that can matter, so a larger report is not read:

- ``imds``: null where nobody was asked, else ``{"unbound": REPLY or null, "bound": [{"interface", "address",
  "reply": REPLY}, ..]}``. ``unbound`` is what other programs get, ``bound`` the candidates that were asked from, in
  that order; an interface is its name on Linux and its index on Windows. REPLY is a dictionary of the fields of
  `reply.ImdsReply`: ``outcome``, ``detail``, ``local_address``, ``interfaces`` (``[[mac, [address, ..]], ..]``),
  ``peer`` (``IP:port`` of the socket's other end) and ``same_machine`` (true, false or null).
- ``guest_agent``: null, or ``{"state", "rule_id", "refused": [text, ..]}`` out of the guest proxy agent's status.json
- ``firewall``: lines of the host's firewall that name IMDS
- ``azure``, ``elevated``: true, false, or null where that is unknown; ``errors``: a line for each part that is missing
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from .model import Asked, GuestAgent, ReportError
from .reply import parse_reply

MOST_ROWS = 2000
MOST_BYTES = 512 * 1024
_MOST_LINES = 50


def check_size(report: Mapping[str, Any]) -> None:
    """
    :raises ReportError: where a report is larger than any host that keeps to what can matter would send
    """
    rows, size = _measure(report)
    if rows > MOST_ROWS:
        raise ReportError(f"the report has more than {MOST_ROWS} rows; only rows that can matter for IMDS are expected")
    if size > MOST_BYTES:
        raise ReportError(f"the report is larger than {MOST_BYTES // 1024} KiB; only what can matter is expected")


def _measure(report: Any) -> tuple[int, int]:
    """Rows and about how many bytes, counted until one of them is too much. Not recursive: it may be nested deeply."""
    rows = size = 0
    rest = [report]
    while rest and rows <= MOST_ROWS and size <= MOST_BYTES:
        value = rest.pop()
        if isinstance(value, (str, bytes)):  # most are; asking for an abstract class takes long
            size += len(value) + 2
            rows += max(value.count("\n") - 1, 0) if isinstance(value, str) else 0
        elif value is None or isinstance(value, (int, float)):
            size += 8
        elif isinstance(value, Mapping):
            size += sum(len(str(key)) + 4 for key in value)
            rest.extend(value.values())
        elif isinstance(value, (list, tuple)):
            rows += sum(isinstance(one, (Mapping, list, tuple)) for one in value)
            rest.extend(value)
        else:
            size += 8
    return rows, size


def common_parts(report: Mapping[str, Any], name_of: Callable[[Any], str] = str) -> dict[str, Any]:
    """The fields of `model.State` that both systems report alike.

    :param name_of: interface as reported -> its name
    :raises ValueError, TypeError, KeyError: where a part can't be read
    """
    return {
        "azure": _flag(report.get("azure")),
        "elevated": _flag(report.get("elevated")),
        "errors": tuple(str(line)[:1000] for line in list(report.get("errors") or ())[:_MOST_LINES]),
        "imds": _asked(report.get("imds"), name_of),
        "agent": _agent(report.get("guest_agent")),
        "firewall": tuple(str(line)[:400] for line in list(report.get("firewall") or ())[:_MOST_LINES]),
    }


def _flag(value: Any) -> Optional[bool]:
    return value if isinstance(value, bool) else None


def _asked(given: Any, name_of: Callable[[Any], str]) -> Optional[Asked]:
    if not given:
        return None
    unbound = given.get("unbound")
    bound = [(name_of(one["interface"]), str(one["address"]), parse_reply(one["reply"])) for one in given["bound"]]
    return Asked(parse_reply(unbound) if unbound else None, tuple(bound))


def _agent(given: Any) -> Optional[GuestAgent]:
    if not given:
        return None
    refused = tuple(str(line)[:400] for line in list(given.get("refused") or ())[:_MOST_LINES])
    return GuestAgent(str(given.get("state") or ""), str(given.get("rule_id") or ""), refused)
