# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's Python is too old for ends in one sentence, although that Python can't compile most of our files."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils import _local_facts
from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter, one_command

PLUGINS = Path(str(interpreter.__file__)).parents[2]
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
# What ansible-core 2.16 still runs modules on, and we do not.
TOO_OLD = ("3.6", "3.7", "3.8")

START = """\
from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter
interpreter.start(interpreter.fail_module)"""


def program(version: str) -> str:
    """An interpreter of that version that runs."""
    homes = [Path(path) for path in (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin")]
    for home in (None, *homes):
        found = shutil.which(f"python{version}", path=home and str(home))
        if found and not subprocess.run([found, "-c", ""], capture_output=True, timeout=30, check=False).returncode:
            return found
    pytest.skip(f"Python {version} is not installed")


@pytest.mark.parametrize(
    "file",
    [*MODULES, *(Path(str(module.__file__)) for module in (interpreter, one_command))],
    ids=lambda file: str(file.stem),
)
def test_an_old_python_can_compile(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 7))
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert futures == [], "Python 3.6 knows no annotations there"
    assert not re.search(r"^ *(async |await |match )", source, re.MULTILINE)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.stem))
def test_every_module_looks_at_its_python_first(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    code = [node for node in tree.body if not isinstance(node, ast.Assign)]
    assert "\n".join(ast.unparse(node) for node in code[:2]) == START


@pytest.mark.parametrize("version", TOO_OLD)
@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.stem))
def test_a_module_fails_with_one_sentence(version: str, file: Path) -> None:
    python = program(version)
    run = "import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"
    done = subprocess.run(
        [python, "-B", "-c", run, str(PLUGINS.parents[3]), str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    result = json.loads(done.stdout)
    assert result["failed"] is True
    assert re.fullmatch(
        rf"imds\.azure needs Python 3\.9 or newer on the host, and \S+ is Python {re.escape(version)}\.\d+: "
        r"set ansible_python_interpreter to a newer one(, such as \S+, which is installed)?\.",
        result["msg"],
    )


@pytest.mark.parametrize("version", TOO_OLD)
def test_the_local_fact_script_fails_with_one_sentence(version: str, tmp_path: Path) -> None:
    python = program(version)
    script = tmp_path / "azure_imds.fact"
    script.write_bytes(_local_facts.build(_local_facts.core(), {}, python))
    done = subprocess.run([python, "-IS", str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "set the option python of azure_imds_local_facts to " in done.stderr


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        ({"/usr/bin/python3.9", "/usr/bin/python3.12", "/usr/bin/python3.8"}, "such as /usr/bin/python3.12, which"),
        (set(), "to a newer one."),
    ],
)
def test_the_newest_that_is_installed_is_named(monkeypatch: pytest.MonkeyPatch, installed: set[str], says: str) -> None:
    access: Callable[..., bool] = lambda path, _mode: path in installed  # noqa: E731
    monkeypatch.setattr("os.access", access)
    assert says in interpreter.complaint("ansible_python_interpreter")


def test_a_python_that_is_new_enough_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    interpreter.start(said.append)
    assert said == []
    monkeypatch.setattr(sys, "version_info", (3, 8, 20))
    interpreter.start(said.append)
    assert len(said) == 1
