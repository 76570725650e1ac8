# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every documented condition as a task, so that an integration target can execute it on every kind of host."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).parents[3]
_CONDITIONAL = ("changed_when", "failed_when", "that", "until", "when")
# Code blocks with YAML, by the kind of file.
_SAMPLES = {
    ".md": r"^```yaml\n(?P<text>.*?)^```",
    ".rst": r"^(?P<margin> *)\.\. code-block:: ya?ml\n(?:(?P=margin) +:.*\n)*\n(?P<text>(?:(?P=margin) +.*\n|\n)+)",
    ".py": r'^EXAMPLES = r"""\n(?P<text>.*?)^"""',
    ".yml": r"^EXAMPLES: \|\n(?P<text>(?: .*\n|\n)+)",
}
# The rows of a table of conditions: those that stand alone in a cell of their own.
_CELL = re.compile(r"^     - ``(.*ansible_facts\.azure_imds.*)``$", re.MULTILINE)
_FACT = "ansible_facts.azure_imds"


def tasks() -> list[str]:
    """A task for each condition, and for each expression that a page makes of the facts."""
    lines: list[str] = []
    for file in _files():
        name = file.relative_to(_ROOT).as_posix()
        text = file.read_text(encoding="utf-8")
        for number, condition in enumerate(dict.fromkeys(_conditions(file.suffix, text)), 1):
            lines += _task(f"Condition {number} of {name}", "It holds", condition)
        pages = file.suffix in (".md", ".rst")
        for number, expression in enumerate(dict.fromkeys(_expressions(file.suffix, text)) if pages else (), 1):
            lines += _task(f"Expression {number} of {name}", expression)
    return lines[:-1]


def _files() -> list[Path]:
    patterns = ("*.md", "roles/*/README.md", "docs/docsite/rst/*.rst", "plugins/modules/*.py", "plugins/filter/*.yml")
    return [file for pattern in patterns for file in sorted(_ROOT.glob(pattern))]


def _conditions(kind: str, text: str) -> Iterator[str]:
    for node in _nodes(_documents(kind, text)):
        for key in _CONDITIONAL:
            found = node.get(key, []) if isinstance(node, dict) else []
            yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str))
    yield from _CELL.findall(text) if kind == ".rst" else ()


def _expressions(kind: str, text: str) -> Iterator[str]:
    for node in _nodes(_documents(kind, text)):
        if isinstance(node, str) and re.search(r"\{\{.*" + re.escape(_FACT), node, re.DOTALL):
            yield node


def _documents(kind: str, text: str) -> list[Any]:
    found = re.finditer(_SAMPLES[kind], text, re.MULTILINE | (re.DOTALL if kind in (".md", ".py") else 0))
    return [yaml.safe_load(textwrap.dedent(sample["text"])) for sample in found]


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for value in inner:
        yield from _nodes(value)


def _task(name: str, message: str, condition: str | None = None) -> list[str]:
    task: dict[str, Any] = {"name": name, "ansible.builtin.debug": {"msg": message}}
    if condition is not None:
        task["when"] = condition
    return [*yaml.safe_dump([task], sort_keys=False, width=100, allow_unicode=True).splitlines(), ""]
