# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated regions of a file: everything between a line that names one and the line that ends it.

The first line also says which command makes the region.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

# In a comment of the file's own language: // and # comments, and those of reStructuredText.
_BEGIN = re.compile(r"^(?P<indent> *)(?://|#|\.\.) <generated (?P<name>[\w.]+): make (?:generate|bench-peers)>$")
_END = re.compile(r"^ *(?://|#|\.\.) </generated>$")

# Makes the lines of a region, without their common indentation.
Maker = Callable[[], list[str]]


class RegionError(Exception):
    """A file and the list of its regions don't fit together."""


def rewrite(text: str, makers: Mapping[str, Maker]) -> str:
    """The text with each region made anew.

    :raises RegionError: where a region has no end, is not in makers, or is missing
    """
    done: list[str] = []
    missing = set(makers)
    lines = iter(text.splitlines())
    for line in lines:
        done.append(line)
        begin = _BEGIN.match(line)
        if not begin:
            continue
        name, indent = begin["name"], begin["indent"]
        if name not in missing:
            raise RegionError(f"region {name} is unknown, or there twice")
        missing.remove(name)
        done += [indent + made if made else "" for made in makers[name]()]
        end = next((rest for rest in lines if _END.match(rest)), None)
        if end is None:
            raise RegionError(f"region {name} has no end")
        done.append(end)
    if missing:
        raise RegionError(f"region {', '.join(sorted(missing))} is missing")
    return "\n".join(done) + "\n"
