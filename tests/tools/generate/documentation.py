# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of one module takes from another's."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

_MODULES = Path(__file__).parents[3] / "plugins" / "modules"


def options_of(module: str) -> list[str]:
    """The module's own options. A reference to what it returns names the module, because this is another one's."""
    text = _text(module, "DOCUMENTATION")
    found = re.search(r"^options:\n((?: .*\n)+)", text, re.MULTILINE)
    options = textwrap.dedent(found[1]) if found else ""
    return re.sub(r"RV\((?=ansible_facts\b)", f"RV(imds.azure.{module}#module:", options).splitlines()


def returned_by(module: str) -> list[str]:
    return _text(module, "RETURN").splitlines()


def _text(module: str, name: str) -> str:
    source = (_MODULES / f"{module}.py").read_text(encoding="utf-8")
    found = re.search(rf'^{name} = r"""\n(.*?)^"""', source, re.MULTILINE | re.DOTALL)
    if not found:
        raise LookupError(f"{module} has no {name}")
    return found[1]
