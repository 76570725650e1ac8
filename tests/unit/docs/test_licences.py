# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file that can hold a comment says whose it is and under which licence."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HOMES = (".ci", ".github", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests")
# Files whose format has no room for it, or that a tool writes.
EXEMPT = {"requirements.txt", "galaxy-importer.cfg", "ee-requirements.txt"}
SUFFIXES = {".cfg", ".cs", ".j2", ".md", ".ps1", ".py", ".rst", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}


def files() -> list[Path]:
    found = [ROOT / "Makefile", ROOT / "noxfile.py", ROOT / "pyproject.toml", ROOT / "README.md"]
    for home in HOMES:
        found += [file for file in (ROOT / home).rglob("*") if file.is_file() and file.suffix in SUFFIXES]
    hidden = {"__pycache__", "output", ".ansible", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    return [file for file in found if file.name not in EXEMPT and not hidden & set(file.parts)]


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_licence_line(file: Path) -> None:
    head = file.read_text(encoding="utf-8", errors="replace")[:600]
    assert "SPDX-License-Identifier: GPL-3.0-or-later" in head
    assert "Copyright: (c) 2026, imds.azure contributors" in head
