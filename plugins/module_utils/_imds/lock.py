# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The deliberate lock of systemd-imdsd (systemd 261): IMDS only for processes that may set its firewall mark.

A prohibit route forbids IMDS to everybody, and a policy rule leads marked traffic to a table of its own. Only root may
set a mark, so this is systemd's own way in.
"""

from __future__ import annotations

import os
import socket
import sys

MARK = 0x7FFF0815

# Linux' numbers: rtnetlink(7), fib_rules.h
_NETLINK = 16
_GET_RULES, _NEW_RULE = 34, 32
_REQUEST_DUMP = 0x301
_HEADER, _RULE_HEADER = 16, 12
_FWMARK = 10


def is_locked() -> bool:
    """Whether a policy rule for that mark is there; asked from the kernel, which tells it everybody."""
    try:
        return MARK in rule_marks(_dump())
    except OSError:
        return False


def may_set_mark() -> bool:
    """Whether this process is root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def rule_marks(messages: bytes) -> set[int]:
    """The firewall marks that the rules in a dump select by."""
    found = set()
    for kind, payload in _parts(messages, _HEADER):
        if kind == _NEW_RULE:
            for name, value in _parts(payload[_RULE_HEADER:], 4):
                if name == _FWMARK:
                    found.add(int.from_bytes(value[:4], sys.byteorder))
    return found


def _parts(data: bytes, header: int) -> list[tuple[int, bytes]]:
    """Type and content of what netlink strings together: messages (length of 4 bytes) or attributes (of 2)."""
    found, width = [], 4 if header == _HEADER else 2
    while len(data) >= header:
        length = int.from_bytes(data[:width], sys.byteorder)
        if not header <= length <= len(data):
            break
        found.append((int.from_bytes(data[width : width + 2], sys.byteorder), data[header:length]))
        data = data[(length + 3) & ~3 :]
    return found


def _dump() -> bytes:
    request = b"".join(
        (
            (_HEADER + _RULE_HEADER).to_bytes(4, sys.byteorder),
            _GET_RULES.to_bytes(2, sys.byteorder),
            _REQUEST_DUMP.to_bytes(2, sys.byteorder),
            bytes(8),
            bytes((socket.AF_INET,)).ljust(_RULE_HEADER, b"\0"),
        )
    )
    with socket.socket(_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(1.0)
        kernel.send(request)
        return kernel.recv(65536)
