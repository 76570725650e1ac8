# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs a part of module_utils into the text of one command: a Python program that needs no file on the host."""

from __future__ import annotations

import ast
import base64
import functools
import io
import tokenize
import zlib
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.imds.azure.plugins.module_utils import _imds

FOLDER = Path(_imds.__path__[0]).parent
ROOT = _imds.__name__.rpartition(".")[0]
HOST_PROGRAM = f"{ROOT}._imds.one_command"
# What may stand before a statement.
_STATEMENT_FOLLOWS = (tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


@functools.cache
def pack(operation: str) -> str:
    """The program for ``python -c``, always the same for an operation: what varies goes into its arguments.

    Action plugins call this when they are imported. That happens in Ansible's main process, once; the processes of the
    tasks inherit the program.

    :param operation: a module with a function run() below module_utils, such as _imds.run_facts
    """
    name = f"{ROOT}.{operation}"
    sources = {module: untyped(strip(source)) for module, source in sorted(needed(name).items())}
    program = f"{strip(_source(HOST_PROGRAM))}\n\nmain({sources!r}, {name!r})\n"
    packed = base64.b64encode(zlib.compress(program.encode(), 9)).decode("ascii")
    # A process as short as this one finishes a little sooner without garbage collection.
    return f'import binascii,gc,zlib;gc.disable();exec(zlib.decompress(binascii.a2b_base64("{packed}")))'


def needed(name: str) -> dict[str, str]:
    """The sources of a module, of those of module_utils that it imports, and so on; by full name."""
    sources: dict[str, str] = {}
    names = {name}
    while names:
        sources.update({each: _source(each) for each in names})
        names = {other for each in names for other in _imports(each, sources[each])} - set(sources)
    return sources


def strip(source: str) -> str:
    """A module's source without comments and documentation, and without empty lines."""
    lines = source.splitlines()
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    before = tokenize.ENCODING
    cuts = []
    kept: set[int] = set()
    for token, following in zip(tokens, tokens[1:]):
        if token.type == tokenize.COMMENT:
            cuts.append((token, ""))
        elif token.type == tokenize.STRING and before in _STATEMENT_FOLLOWS and following.type == tokenize.NEWLINE:
            cuts.append((token, '""'))
        else:  # a string of several lines is a value, including what looks like nothing
            kept.update(range(token.start[0] - 1, token.end[0] - 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type
    for token, replacement in reversed(cuts):
        (first, begin), (last, end) = token.start, token.end
        lines[first - 1 : last] = [
            lines[first - 1][:begin] + replacement + lines[last - 1][end:],
            *[""] * (last - first),
        ]
    cleaned = ((number, line if number in kept else line.rstrip()) for number, line in enumerate(lines))
    return "".join(f"{line}\n" for number, line in cleaned if line or number in kept)


def untyped(source: str) -> str:
    """A module's source without the imports from typing that only annotations need, which nobody evaluates."""
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    if not any(node.module == "__future__" for node in imports):
        return source
    used = {node.id for node in _evaluated(tree) if isinstance(node, ast.Name)} - {"TYPE_CHECKING"}
    lines = source.splitlines(keepends=True)
    for node in imports:
        names = {name.name for name in node.names}
        if node.module == "typing" and not names & used:
            replacement = ["TYPE_CHECKING = False\n"] if "TYPE_CHECKING" in names else [""]
            lines[node.lineno - 1 : node.end_lineno] = replacement + [""] * ((node.end_lineno or 0) - node.lineno)
    return "".join(lines)


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """A syntax tree's nodes without annotations."""
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield child
                    yield from _evaluated(child)


def _source(name: str) -> str:
    return _file(name).read_text(encoding="utf-8")


def _file(name: str) -> Path:
    return FOLDER.joinpath(*name[len(ROOT) + 1 :].split(".")).with_suffix(".py")


def _imports(name: str, source: str) -> Iterator[str]:
    """The modules of module_utils that a module's import statements name, also those inside functions."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = name.split(".")[: -node.level] if node.level else []
        target = ".".join([*base, *([node.module] if node.module else [])])
        if target.startswith(f"{ROOT}."):
            yield from _modules(target, [each.name for each in node.names])


def _modules(target: str, names: list[str]) -> Iterator[str]:
    """Of ``from target import names``: the target, or, where that is a package, the modules in it."""
    if _file(target).exists():
        yield target
    else:
        yield from (f"{target}.{name}" for name in names)
