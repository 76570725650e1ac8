# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docstrings tell parameters and exceptions in one style, the fields of reStructuredText."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = [file for folder in ("plugins", "roles", "tests") for file in sorted((ROOT / folder).rglob("*.py"))]
OTHER_STYLES = re.compile(r"\bRaises [A-Z]\w+|^ *(Args|Arguments|Parameters|Raises|Returns|Options):$", re.MULTILINE)


def docstrings(source: str) -> list[str]:
    nodes = ast.walk(ast.parse(source))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [ast.get_docstring(node) or "" for node in nodes if isinstance(node, documented)]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Ask.\n\n:raises ImdsError: if there is none", False),
        ("Ask. Raises ImdsError where there is none.", True),
        ("Ask.\n\nRaises:\n    ImdsError: if there is none", True),
        ("Raises nothing.", False),
    ],
)
def test_another_style_is_recognised(text: str, other: bool) -> None:
    assert bool(OTHER_STYLES.search(text)) is other


def test_exceptions_are_documented_in_one_style() -> None:
    assert len(FILES) > 200
    assert [
        f"{file.relative_to(ROOT)}: {text}"
        for file in FILES
        for text in docstrings(file.read_text(encoding="utf-8"))
        if OTHER_STYLES.search(text)
    ] == []
