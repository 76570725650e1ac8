# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a run has left, as text."""

from __future__ import annotations

import base64
import io
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path


def unpacked(program: str) -> str:
    """What is in a module as Ansible sends it: the arguments, and an archive with all that the module imports."""
    packed = max(re.findall(r"[A-Za-z0-9+/=]{100,}", program), key=len)
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
        members = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    return "\n".join([program.replace(packed, ""), *members])


class Traces:
    """Everything that the run has left, by what it is."""

    def __init__(self, directory: Path, output: str) -> None:
        self.texts: dict[str, str] = {"standard output": output}
        for folder, _folders, names in os.walk(directory):
            for name in names:
                path = Path(folder, name)
                where = path.relative_to(directory)
                if where.parts[0] in ("secrets", "full", "dev", "project") or not path.is_file():
                    continue
                content = path.read_text(encoding="utf-8", errors="replace")
                self.texts[str(where)] = unpacked(content) if name.startswith("AnsiballZ_") else content

    def holding(self, text: str) -> list[str]:
        return [where for where, content in self.texts.items() if text in content]


def variants(text: str) -> Iterable[str]:
    """The text, and the middle of its base64 whatever stands before it."""
    yield text
    for shift in range(3):
        yield base64.b64encode(b" " * shift + text.encode())[4:-4].decode()
