# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defaults for the action group: what fits is used, and what a module lacks is named together with the module."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.plugin_utils._task_options import unknown_options
from ansible_collections.imds.azure.tests.scenarios import played_hosts

ROOT = Path(__file__).parents[3]
GROUP = "group/imds.azure.imds"
LOCAL = {"vm": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}


def options(module: str) -> dict[str, Any]:
    """The options of a module as its documentation has them, those of its fragments included."""
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    documentation = yaml.safe_load(re.findall(r'^DOCUMENTATION = r"""(.*?)"""', text, re.MULTILINE | re.DOTALL)[0])
    found = dict(documentation.get("options") or {})
    for name in documentation["extends_documentation_fragment"]:
        file, _ignored, part = name.removeprefix("imds.azure.").partition(".")
        fragment = (ROOT / "plugins" / "doc_fragments" / f"{file}.py").read_text(encoding="utf-8")
        (block,) = re.findall(rf'{(part or "DOCUMENTATION").upper()} = r"""(.*?)"""', fragment, re.DOTALL)
        found = {**(yaml.safe_load(block).get("options") or {}), **found}
    return found


def required(module: str) -> dict[str, str]:
    """Something for each option that the module can't do without."""
    return {
        name: option.get("choices", ["something"])[0]
        for name, option in options(module).items()
        if option.get("required")
    }


def group() -> list[str]:
    """The modules of the action group, without the twins, which are what a task's module runs on Windows."""
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return [name for name in runtime["action_groups"]["imds"] if not name.endswith("_windows")]


def test_what_a_module_lacks_is_named_together_with_the_module(tmp_path: Path) -> None:
    play = {
        "hosts": "vm",
        "gather_facts": False,
        "module_defaults": {GROUP: {"no_such_option": 1}},
        "tasks": [{f"imds.azure.{module}": required(module), "ignore_errors": True} for module in group()],
    }
    output = played_hosts.run_plays(tmp_path, LOCAL, [play])
    assert f"ignored={len(group())}" in output
    for module in group():
        assert f"Unsupported parameters for (imds.azure.{module}) module: no_such_option. " in output


def test_options_that_are_not_for_tasks_are_not_offered() -> None:
    message = unknown_options(["b", "a", "x"], {"x": {}, "y": {}, "request": {}}, "n.c.m", internal=["request"])
    assert message is not None
    assert message.startswith("Unsupported parameters for (n.c.m) module: a, b. Supported parameters include: x, y. ")
    assert unknown_options(["x"], {"x": {}}, "n.c.m") is None


def examples() -> list[tuple[str, dict[str, Any]]]:
    """(page, defaults of the group) of each example in the documentation."""
    found = []
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.rst"), *ROOT.glob("roles/*/README.md")]
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if line.strip() == f"{GROUP}:":
                inner = len(line) - len(line.lstrip())
                block = []
                for following in lines[number + 1 :]:
                    if following.strip() and len(following) - len(following.lstrip()) <= inner:
                        break
                    block.append(following)
                found.append((page.name, yaml.safe_load("\n".join(block))))
    return found


def test_there_is_an_example() -> None:
    assert examples()


@pytest.mark.parametrize(("page", "defaults"), examples(), ids=str)
def test_an_example_fits_every_module_and_slows_none(page: str, defaults: dict[str, Any]) -> None:
    """A time that is right for a task is the time that each setup waits, once it is in the local fact script."""
    for module in group():
        assert set(defaults) <= set(options(module)), f"{page}: {module}"
    assert not [name for name in defaults if name.endswith("timeout")], page
