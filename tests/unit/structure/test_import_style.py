# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inside a package imports are relative, from one package to another they are absolute."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "ansible_collections.imds.azure."
PACKAGES = [
    "plugins/module_utils/_identity",
    "plugins/module_utils/_imds",
    "plugins/module_utils/_routes",
    "plugins/plugin_utils/_attestation",
    "plugins/module_utils/_events",
    "plugins/module_utils/_watcher",
    "plugins/plugin_utils/_event_source",
    "plugins/plugin_utils/_route_plan",
    "roles/azure_imds_emulator/files/azure_imds_emulator",
    "tests/lab",
    "tests/scenarios",
    "tests/tools/generate",
]


def imports(file: Path) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_within_a_package_are_relative(package: str) -> None:
    dotted = package.replace("/", ".")
    own = (COLLECTION + dotted, dotted.rpartition(".files.")[2])
    files = sorted((ROOT / package).rglob("*.py"))
    assert len(files) > 3
    for file in files:
        for node in imports(file):
            inside = not node.level and any(f"{node.module}.".startswith(f"{name}.") for name in own)
            assert not inside, f"{file.relative_to(ROOT)}:{node.lineno} imports {node.module}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_relative_import_leaves_its_package(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        depth = len(file.relative_to(ROOT / package).parts)
        for node in imports(file):
            assert node.level <= depth, f"{file.relative_to(ROOT)}:{node.lineno} reaches out of {package}"
