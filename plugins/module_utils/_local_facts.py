# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packs the IMDS core into one executable file, the local fact script. PRIVATE to this collection.

The file is a few lines for /bin/sh and a zip archive. The lines run Python on the file itself, which takes the archive
as its program. Where that fails, for example because the interpreter is gone, they print a fact that says so: a fact
script that fails, or prints no JSON, is an error in every setup.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import marshal
import pkgutil
import shlex
import sys
import zipfile
from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils import _imds
from ansible_collections.imds.azure.plugins.module_utils._imds import local_fact, release

# A process as short as this one finishes a little sooner without garbage collection.
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
FLAGS = "-IS"
# Of a script as it is installed, the digest is that of its own archive: it tells whether the file was damaged.
_HEAD = """\
#!/bin/sh
# Made by the Ansible module imds.azure.azure_imds_local_facts, which overwrites changes. A zip archive follows.
# imds.azure {version}, sources {sources}, compiled for {tag}
# python {shown}
# options {options}
# archive SHA-256 {archive}
facts=$({python} {flags} "$0") && [ -n "$facts" ] && printf '%s\\n' "$facts" && exit 0
printf '%s\\n' {fallback}
exit 0
"""
_ARCHIVE_LINE = "# archive SHA-256 "
_ZIP = b"PK\x03\x04"

# Magic number of the interpreter, flags and hash of the source: the part of a .pyc before the bytecode.
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
    return _head(sources, options, python, archive.getvalue()) + archive.getvalue()


def describe(script: bytes | None) -> str:
    """The comments at the head of a script, for a diff: which version, options and interpreter it was made with."""
    if script is None:
        return ""
    head, _archive = _split(script)
    if head is None:
        return "A file that this module did not make.\n"
    return "".join(line for line in head.splitlines(keepends=True) if line.startswith("#"))


def same(installed: bytes | None, wanted: bytes) -> bool:
    """Whether an installed script is the one that would be installed now, every byte of it undamaged."""
    if installed is None:
        return False
    if installed == wanted:
        return True
    # Before Python 3.11, one source does not compile to the same bytes every time. There, a script that is as it was
    # made counts as the same if it was made from the same.
    return not _compiles_alike() and _is_whole(installed) and _made_from(installed) == _made_from(wanted)


def _compiles_alike() -> bool:
    return sys.version_info >= (3, 11)


def _split(script: bytes) -> tuple[str | None, bytes]:
    """Head and archive; the head is None where the file is none of ours."""
    head, zip_start, rest = script.partition(_ZIP)
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    return (text if _ARCHIVE_LINE in text and zip_start else None), zip_start + rest


def _is_whole(script: bytes) -> bool:
    """Whether the archive has the digest that the head tells."""
    head, archive = _split(script)
    return head is not None and f"{_ARCHIVE_LINE}{hashlib.sha256(archive).hexdigest()}\n" in head


def _made_from(script: bytes) -> Any:
    """What a script was made from: its head, apart from the digest, and its archive, of bytecode only the heads."""
    head, archive = _split(script)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = {
                name: opened.read(name)[: _PYC_HEAD if name.endswith(".pyc") else None] for name in opened.namelist()
            }
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    return [line for line in (head or "").splitlines() if not line.startswith(_ARCHIVE_LINE)], members


def _head(sources: Mapping[str, bytes], options: Mapping[str, Any], python: str, archive: bytes) -> bytes:
    if not python.startswith("/") or not python.isprintable():
        raise ScriptError(f"python: {python!r} is not an absolute path of characters that print")
    digest = hashlib.sha256(b"".join(source for _name, source in sorted(sources.items()))).hexdigest()
    head = _HEAD.format(
        version=release.VERSION,
        sources=digest[:16],
        tag=sys.implementation.cache_tag,
        shown=json.dumps(python),
        options=json.dumps(options),
        archive=hashlib.sha256(archive).hexdigest(),
        python=shlex.quote(python),
        flags=FLAGS,
        fallback=shlex.quote(json.dumps(local_fact.without_interpreter(python))),
    )
    return head.encode()


def _compile(name: str, source: bytes) -> bytes:
    """A .pyc that is taken without a look at the source (PEP 552, unchecked hash), so that it needs no timestamp."""
    code = compile(source, f"_imds/{name}", "exec", dont_inherit=True)
    flags = 0b01
    return (
        importlib.util.MAGIC_NUMBER
        + flags.to_bytes(4, "little")
        + importlib.util.source_hash(source)
        # Version 2 has no references, which depend on what else holds the same object in this process.
        + marshal.dumps(code, 2)
    )


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # Stored, with the oldest timestamp that zip knows: quick to read, and the same on every day.
    archive.writestr(zipfile.ZipInfo(name), content)
