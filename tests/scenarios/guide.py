# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the samples of a guide, so that tests can do what its reader does."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

GUIDES = Path(__file__).parents[2] / "docs" / "docsite" / "rst"


@dataclass(frozen=True)
class Sample:
    """One code block of a guide."""

    language: str
    caption: str
    """The name of the file that it shows, empty for others."""
    text: str


class Guide:
    """The samples of one guide, in order."""

    def __init__(self, name: str) -> None:
        text = (GUIDES / f"{name}.rst").read_text(encoding="utf-8")
        block = r"^( *)\.\. code-block:: (\S+)\n(?:\1 +:caption: (.*)\n)?\n((?:\1 +.*\n|\n)+)"
        self.samples = [
            Sample(language, caption, textwrap.dedent(body).strip("\n") + "\n")
            for _indent, language, caption, body in re.findall(block, text, re.MULTILINE)
        ]

    def write_files(self, folder: Path) -> None:
        """Write each file that the guide shows."""
        for sample in self.samples:
            if sample.caption:
                file = folder / sample.caption
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(sample.text, encoding="utf-8")

    def commands(self) -> list[str]:
        """What stands behind a prompt. A command goes on in the next line after a backslash."""
        joined = ["".join(sample.text.split("\\\n")) for sample in self.samples if sample.language == "console"]
        return [line[2:] for text in joined for line in text.splitlines() if line.startswith(("$ ", "# "))]

    def outputs(self) -> list[str]:
        """What the guide shows as plain text."""
        return [sample.text for sample in self.samples if sample.language == "text"]
