# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role brings the whole package to the host, in one file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import azure_imds_emulator
import yaml

PACKAGE = Path(azure_imds_emulator.__file__).parent
TEMPLATE = PACKAGE.parents[1] / "templates" / "install.py.j2"


def test_every_folder_of_the_package_is_in_the_template() -> None:
    (listed,) = re.findall(r"for folder in (\[.*?\])", TEMPLATE.read_text(encoding="utf-8"))
    kinds = {".py", ".json"}
    holders = {path.parent for path in PACKAGE.rglob("*") if path.is_file() and path.suffix in kinds}
    folders = {f"{holder.relative_to(PACKAGE)}/".replace("./", "") for holder in holders}
    assert set(ast.literal_eval(listed)) == folders


def test_the_package_holds_nothing_that_the_template_leaves_out() -> None:
    kinds = {path.suffix for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert kinds == {".py", ".json"}


def test_the_emulator_has_the_collections_version() -> None:
    galaxy = Path(__file__).parents[3] / "galaxy.yml"
    assert yaml.safe_load(galaxy.read_text(encoding="utf-8"))["version"] == azure_imds_emulator.__version__
