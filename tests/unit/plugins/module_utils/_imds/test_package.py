# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules for the core as a whole: it is also shipped alone, as the local fact script."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import ansible_collections.imds.azure.plugins.module_utils._imds as core
import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import errors
from ansible_collections.imds.azure.plugins.module_utils._imds import reasons, release, retry

FOLDER = Path(core.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))

# What AnsibleModule has loaded anyway, or is small. Everything else costs start-up time on every run.
ALLOWED = {
    "__future__",
    "base64",
    "binascii",
    "collections",
    "ctypes",
    "errno",
    "gc",
    "hashlib",
    "importlib",
    "json",
    "os",
    "re",
    "socket",
    "sys",
    "time",
    "types",
    "typing",
    "zipimport",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_imports_only_itself_and_the_standard_library(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1, "the package must not reach out of itself"
            names = [node.module] if node.module else [name.name for name in node.names]
            assert all((FOLDER / f"{name}.py").exists() for name in names)
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in ALLOWED


def test_the_version_is_that_of_the_collection() -> None:
    galaxy = FOLDER.parents[2] / "galaxy.yml"
    if not galaxy.exists():
        pytest.skip("an installed collection has no galaxy.yml")
    assert re.findall(r"^version: *(\S+)$", galaxy.read_text(encoding="utf-8"), re.MULTILINE) == [release.VERSION]


def test_off_azure_neither_client_nor_converters_are_loaded() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(FOLDER.parent)!r})
from _imds import gather, options, platform
platform.detect = lambda _tag: platform.Detection(False, None, "here")
assert gather.gather(options.settings({{}}))[0]["reason"] == "not_azure"
print(*sorted(name for name in sys.modules if name.startswith("_imds.")))
"""
    done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, timeout=30, check=True)
    loaded = {name.split(".")[1] for name in done.stdout.split()}
    assert "gather" in loaded
    assert not loaded & {"block_devices", "client", "disks", "facts", "guest", "paths", "retry", "transport"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_facts_never_ask_for_scheduled_events(file: Path) -> None:
    """The first request switches them on for the VM, and takes up to two minutes."""
    assert "scheduledevents" not in file.read_text(encoding="utf-8").lower()


def test_in_a_zip_each_module_is_compiled_once(tmp_path: Path) -> None:
    """Python's own importer of zips compiles twice, see interpreter.py."""
    archive = tmp_path / "core.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for file in FILES:
            members.write(file, f"_imds/{file.name}")
    program = f"""
import builtins, sys
sys.path.insert(0, {str(archive)!r})
compiled, compile = [], builtins.compile
def count(source, name, *rest, **named):
    compiled.append(str(name))
    return compile(source, name, *rest, **named)
builtins.compile = count
from _imds import interpreter
interpreter.start(sys.exit)
from _imds import client, facts, gather
print(client.__file__, *(name.rpartition("/")[2] for name in compiled if "core.zip" in name))
"""
    done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, timeout=30, check=True)
    place, *compiled = done.stdout.split()
    assert Path(place) == archive / "_imds" / "client.py"
    assert {"client.py", "facts.py", "gather.py", "options.py"} <= set(compiled)
    assert all(compiled.count(name) == 1 for name in compiled if name not in ("__init__.py", "interpreter.py"))


def test_every_reason_is_used_and_has_its_words() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in FILES)
    raised = set(re.findall(r'(?:ImdsError\(|unavailable\(|return )"(\w+)"', sources)) & set(reasons.REASONS)
    rules = [*retry.RULES.values(), *errors.RULES.values()]
    assert raised | {rule.reason for rule in rules} | {"bad_version"} == set(reasons.REASONS)
    for reason in reasons.REASONS.values():
        assert re.fullmatch("[a-z_]+", reason.code)
        assert reason.meaning.endswith(".")
        assert reason.remedy.endswith(".")
