# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests share models and helpers through ordinary modules, such as those in tests/scenarios, never through each other.

pytest would import a test module a second time, under another name, and whoever changes one test would break others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "ansible_collections.imds.azure."


def imported(source: str, file: str) -> Iterator[str]:
    """The dotted names that a module's source imports, each name of a ``from`` import with its package.

    :param file: path of the module below the collection
    """
    package = file.split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = [*above, *(node.module or "").split(".")]
            yield from (".".join(filter(None, [*base, alias.name])) for alias in node.names)


def is_test_module(dotted: str) -> bool:
    """Whether a name is a test module or a conftest, or something in one."""
    parts = dotted.split(".")
    modules = parts[parts.index("tests") :] if "tests" in parts else []
    return any(part == "conftest" or part.startswith("test_") for part in modules)


@pytest.mark.parametrize(
    ("source", "file", "expected"),
    [
        ("from .test_route_fix import tables", "tests/lab/test_x.py", True),
        ("from . import test_route_fix", "tests/lab/test_x.py", True),
        ("from .conftest import ANSWER", "tests/lab/test_x.py", True),
        (f"from {PACKAGE}tests.unit.emulator.test_wire import HEADERS", "tests/windows/test_x.py", True),
        (f"from {PACKAGE}tests.unit.emulator import test_wire", "tests/windows/test_x.py", True),
        (f"import {PACKAGE}tests.unit.emulator.test_wire", "tests/windows/test_x.py", True),
        ("from .asking import ask", "tests/lab/test_x.py", False),
        (f"from {PACKAGE}tests.scenarios.imds.world import World", "tests/unit/test_x.py", False),
        ("from ansible.module_utils.testing import patch_module_args", "tests/unit/test_x.py", False),
    ],
)
def test_an_import_of_a_test_module_is_recognised(source: str, file: str, expected: bool) -> None:
    assert any(map(is_test_module, imported(source, file))) is expected


def test_nothing_imports_a_test_module() -> None:
    importers = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in [path.relative_to(ROOT).as_posix()]
        if any(map(is_test_module, imported(path.read_text(encoding="utf-8"), name)))
    }
    assert importers == set()
