# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs the IMDS core into the text of one command: a Python program that needs no file on the host."""

from __future__ import annotations

import ast
import base64
import functools
import pkgutil
import zlib

from ansible_collections.imds.azure.plugins.module_utils import _imds

PACKAGE = "_imds"
PROGRAM = "one_command"


@functools.cache
def pack(operation: str) -> str:
    """The program for ``python -c``, always the same for an operation: what varies goes into its arguments.

    :param operation: one of the core's modules with a function run()
    """
    sources = {PACKAGE: "", **{f"{PACKAGE}.{name}": _source(name) for name in sorted(_needed(operation))}}
    program = f"{_source(PROGRAM)}\n\nmain({sources!r}, {f'{PACKAGE}.{operation}'!r})\n"
    packed = base64.b64encode(zlib.compress(program.encode(), 9)).decode("ascii")
    return f'import binascii,zlib;exec(zlib.decompress(binascii.a2b_base64("{packed}")))'


def _source(name: str) -> str:
    source = pkgutil.get_data(_imds.__name__, f"{name}.py")
    assert source is not None
    return source.decode("utf-8")


def _needed(name: str) -> set[str]:
    """The modules of the core that a module imports, directly or not, itself included."""
    needed: set[str] = set()
    found = {name}
    while found:
        needed |= found
        found = {other for each in found for other in _imports(each)} - needed
    return needed


def _imports(name: str) -> set[str]:
    """The modules of the core in the import statements of one of them, also of those inside functions."""
    relative = [node for node in ast.walk(ast.parse(_source(name))) if isinstance(node, ast.ImportFrom) and node.level]
    return {other for node in relative for other in ([node.module] if node.module else [n.name for n in node.names])}
