# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that are almost right."""

from __future__ import annotations

from hypothesis import strategies as st


def mutations(data: bytes) -> st.SearchStrategy[bytes]:
    """``data`` with a few bytes replaced, dropped or inserted."""
    edit = st.tuples(st.integers(0, len(data)), st.integers(0, 2), st.binary(max_size=3))
    return st.lists(edit, min_size=1, max_size=3).map(lambda edits: _edited(data, edits))


def _edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for position, dropped, inserted in edits:
        data = data[:position] + inserted + data[position + dropped :]
    return data
