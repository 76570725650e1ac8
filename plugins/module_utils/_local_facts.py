# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packs the IMDS core into one executable file, the local fact script. PRIVATE to this collection.

The file is a few lines of text, the first of which names the interpreter, and a zip archive, which Python runs as is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import marshal
import pkgutil
import sys
import zipfile
from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils import _imds
from ansible_collections.imds.azure.plugins.module_utils._imds import release

# Without collecting garbage a process as short as this one is done a little sooner.
_MAIN = """\
import gc
import sys

gc.disable()

from _imds import interpreter

interpreter.start(sys.exit, "the option python of azure_imds_local_facts")

from _imds.local_fact import main

main({!r})
"""
# Without site-packages and PYTHON* variables: nothing that is installed or set on the host can break the script.
_FLAGS = "-IS"
# Linux before 5.1 cuts the first line of a script here.
_MAX_SHEBANG = 127
# Magic number, flags and hash of the source: what a .pyc was made from, without what came of it.
_PYC_HEAD = 16


class ScriptError(ValueError):
    """The script can't be made with this interpreter."""


def core() -> dict[str, bytes]:
    """The source files of the core: file name -> content.

    Read through the import system, because on a managed host the core sits in the module's own zip archive.
    """
    names = ["__init__", *sorted(module.name for module in pkgutil.iter_modules(_imds.__path__))]
    files = {f"{name}.py": pkgutil.get_data(_imds.__name__, f"{name}.py") for name in names}
    return {name: content for name, content in files.items() if content is not None}


def build(sources: Mapping[str, bytes], options: Mapping[str, Any], python: str) -> bytes:
    """The whole script.

    Beside each source lies its bytecode for the running interpreter; another one takes the source instead.

    :param options: what main() of the core's local_fact is called with
    :param python: absolute path of the interpreter that runs the script
    :raises ScriptError: for a path that a script can't name in its first line
    """
    options = dict(sorted(options.items()))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        _add(members, "__main__.py", _MAIN.format(options).encode())
        for name, source in sorted(sources.items()):
            _add(members, f"_imds/{name}", source)
            _add(members, f"_imds/{name}c", _compile(name, source))
    return _head(sources, options, python).encode() + archive.getvalue()


def describe(script: bytes | None) -> str:
    """The head of a script, for a diff: which version, options and interpreter it was made with."""
    if script is None:
        return ""
    head, archive, _rest = script.partition(b"PK\x03\x04")
    return head.decode("utf-8", "replace") if archive else "A file that this module did not make.\n"


def same(one: bytes | None, other: bytes) -> bool:
    """Whether two scripts were made from the same.

    Not a comparison of all bytes: before Python 3.11 one source does not compile to the same bytes every time.
    """
    if one is None:
        return False
    try:
        return describe(one) == describe(other) and _contents(one) == _contents(other)
    except zipfile.BadZipFile:
        return False


def _head(sources: Mapping[str, bytes], options: Mapping[str, Any], python: str) -> str:
    shebang = f"#!{python} {_FLAGS}"
    if not python.startswith("/") or any(character.isspace() for character in python):
        raise ScriptError(
            f"python: {python!r} is not an absolute path without blanks, which a script's first line needs"
        )
    if len(shebang.encode()) > _MAX_SHEBANG:
        raise ScriptError(
            f"python: {python!r} is too long for the first line of a script; give a shorter path, or a link"
        )
    digest = hashlib.sha256(b"".join(source for _name, source in sorted(sources.items()))).hexdigest()
    return (
        f"{shebang}\n"
        "# Made by the Ansible module imds.azure.azure_imds_local_facts, which overwrites changes. A zip follows.\n"
        f"# imds.azure {release.VERSION}, sources {digest[:16]}, compiled for {sys.implementation.cache_tag}\n"
        f"# options {json.dumps(options)}\n"
    )


def _compile(name: str, source: bytes) -> bytes:
    """A .pyc that is taken without a look at the source (PEP 552, unchecked hash), so that it needs no timestamp."""
    code = compile(source, f"_imds/{name}", "exec", dont_inherit=True)
    flags = 0b01
    return (
        importlib.util.MAGIC_NUMBER
        + flags.to_bytes(4, "little")
        + importlib.util.source_hash(source)
        + marshal.dumps(code)
    )


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # Stored, with the oldest timestamp that zip knows: quick to read, and the same on every day.
    archive.writestr(zipfile.ZipInfo(name), content)


def _contents(script: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(script)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return {name: data[:_PYC_HEAD] if name.endswith(".pyc") else data for name, data in members.items()}
