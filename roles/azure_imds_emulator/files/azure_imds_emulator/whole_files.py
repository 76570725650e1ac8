# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear complete or not at all, and that no symbolic link can redirect."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Callable


def write(path: Path, content: bytes, mode: int, place: Callable[[Path, Path], None] = os.replace) -> None:
    """Write beside ``path`` under a name that nobody can guess, then move it there.

    ``place``: `os.replace`, or `os.link`, which fails where the path is taken.

    :raises OSError: if the file cannot be written
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(partial, flags, mode), "wb") as file:
            file.write(content)
        place(partial, path)
    finally:
        partial.unlink(missing_ok=True)
