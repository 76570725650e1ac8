# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored evidence on the controller's disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .evidence import MAX_TEXT
from .files import write_atomically
from .reasons import OptionError

MAX_PATH = 1024  # characters
MODE = 0o600  # subscription and VM IDs are nobody else's business


def may_be_path(document: Any) -> bool:
    """Whether the option ``document`` could name a file: it is neither JSON nor the base64 text of signed data."""
    if not isinstance(document, str) or not 0 < len(document) <= MAX_PATH:
        return False
    return not document.lstrip().startswith(("{", "MI")) and document.isprintable()


def read_text(path: str) -> str:
    """The content of the file that the option ``document`` names, at most a little more than can be verified.

    :raises OptionError: it cannot be read.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise OptionError("document", f"{path} is not a regular file.")
        with file.open("rb") as handle:
            return handle.read(MAX_TEXT + 1).decode("utf-8", "replace")
    except OSError as error:
        raise OptionError("document", f"{path} cannot be read on the controller: {error.strerror or error}.") from error


def check_destination(path: Path) -> None:
    """Find out whether a file can be written there, before anything else is done.

    :raises OptionError: it cannot.
    """
    if path.is_dir():
        raise OptionError("dest", f"{path} is a directory; give the name of a file.")
    if path.exists() and not path.is_file():
        raise OptionError("dest", f"{path} is not a regular file.")
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        raise OptionError("dest", f"{path} cannot be written, because {parent} is not a directory.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OptionError("dest", f"{path} cannot be written, because this user may not write to {parent}.")


def write_evidence(path: Path, text: str) -> None:
    """Write a stored file in one step, for its owner only; missing directories are made.

    :raises OptionError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, text.encode("utf-8"), MODE)
    except OSError as error:
        raise OptionError("dest", f"{path} cannot be written: {error.strerror or error}.") from error
