# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy that `make demo` and the tests run on, of a checkout and of an unpacked archive."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "copy-tree"
KEPT = ["README.md", "roles/a role/tasks/main.yml", "plugins/module_utils/_x/__init__.py", ".yamllint"]
BUILT = ["build/venv/x", "tests/output/y", "plugins/__pycache__/z.pyc"]
TOOLS = ["bash", "find", "mkdir", "rm", "tar"]


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    for name in KEPT + BUILT:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "source"


def copy(source: Path, path: Path | None = None) -> set[str]:
    """The names of the files in the copy."""
    target = source.parent / "tree"
    environment = {"PATH": str(path)} if path else None
    subprocess.run(
        [shutil.which("bash") or "bash", SCRIPT, target], cwd=source, check=True, env=environment, timeout=60
    )
    root = target / "ansible_collections" / "imds" / "azure"
    names = (file.relative_to(root) for file in root.rglob("*") if file.is_file())
    return {str(name) for name in names if name.parts[0] != ".git"}


def test_an_unpacked_archive(source: Path) -> None:
    assert copy(source) == set(KEPT)


def test_an_unpacked_archive_where_there_is_no_git(source: Path) -> None:
    tools = source.parent / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    assert copy(source, tools) == set(KEPT)


@pytest.mark.skipif(not shutil.which("git"), reason="no git on this machine")
def test_an_archive_that_was_unpacked_inside_of_another_repository(source: Path) -> None:
    subprocess.run(["git", "init", "--quiet", source.parent], check=True, timeout=60)
    (source.parent / ".gitignore").write_text("source\n")
    assert copy(source) == set(KEPT)


@pytest.mark.skipif(not shutil.which("git"), reason="no git on this machine")
def test_a_checkout(source: Path) -> None:
    subprocess.run(["git", "init", "--quiet", source], check=True, timeout=60)
    (source / ".gitignore").write_text("/build/\n/tests/output/\n__pycache__/\n")
    assert copy(source) == {*KEPT, ".gitignore"}
