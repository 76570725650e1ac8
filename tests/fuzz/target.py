# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is fuzzed: a reader as a function of bytes, and what its input looks like."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Target(NamedTuple):
    """One reader.

    :param name: of the target and its corpus
    :param reads: what it reads, for the documentation
    :param run: has the reader read an input, and asserts what must hold for any; it returns for input that the reader
        refuses as documented, and raises for everything else
    :param seeds: makes inputs that are right
    :param words: what such inputs are made of
    :param most: bytes of an input
    """

    name: str
    reads: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()
    most: int = 8 * 1024


def as_json(value: Any) -> bytes:
    """A seed out of plain data."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def from_json(data: bytes) -> Any:
    """Plain data as Ansible hands it over, where JSON has been read before; None for what is not JSON."""
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def assert_plain(value: Any) -> None:
    """Whatever is handed on can be written as JSON in UTF-8."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def assert_shown(text: str) -> None:
    """A message does not control a terminal."""
    assert text.replace("\n", "").replace("\t", "").isprintable(), text


def assert_told(error: Exception) -> None:
    """An error says something."""
    assert str(error)
