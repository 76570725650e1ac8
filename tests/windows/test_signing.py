# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""App Control: all that runs on a Windows host can be signed, and a signature of one's own stays one's own.

The script that signs a collection lists the files of plugins/module_utils and plugins/modules, and looks no deeper. A
file that is not on its list is not trusted, and no module that needs it runs.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
MANIFEST = "meta/powershell_signatures.psd1"

# What it looks for, and where.
SIGNED = {"plugins/module_utils": (".cs", ".psm1"), "plugins/modules": (".ps1",)}


def sent() -> list[Path]:
    """All C# and PowerShell of modules. The script of the one command declines to run where signatures count."""
    kinds = (".cs", ".psm1", ".ps1", ".psd1", ".exe", ".dll")
    return [path for path in PLUGINS.rglob("*") if path.suffix in kinds and path.parent.name != "plugin_utils"]


def test_every_file_lies_where_the_script_looks() -> None:
    assert {path.suffix for path in sent()} == {".cs", ".psm1", ".ps1"}
    for path in sent():
        where = path.parent.relative_to(ROOT).as_posix()
        assert path.suffix in SIGNED.get(where, ()), path


def test_every_name_is_as_the_script_and_ansible_spell_it() -> None:
    """Both make the name on the list from the file's, so it may have no more than one dot."""
    assert [path for path in sent() if not path.stem.isidentifier()] == []


@pytest.mark.parametrize("mark", [b"# SIG # Begin signature block", b"\xef\xbb\xbf", b"\r"])
def test_the_list_is_of_the_bytes_that_are_sent(mark: bytes) -> None:
    """Neither signed by itself, nor with a mark or line ends that an editor or git may change."""
    assert [path for path in sent() if mark in path.read_bytes()] == []


def test_the_signature_is_neither_committed_nor_published() -> None:
    assert MANIFEST in yaml.safe_load((ROOT / "galaxy.yml").read_text())["build_ignore"]
    assert f"/{MANIFEST}" in (ROOT / ".gitignore").read_text().splitlines()
    assert not (ROOT / MANIFEST).exists()
    tracked = subprocess.run(["git", "ls-files", MANIFEST], cwd=ROOT, capture_output=True, text=True, check=False)
    assert tracked.stdout == ""
