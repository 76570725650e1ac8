# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads PowerShell as text, with a real grammar: where it breaks, what it calls, and the argument spec it hands over.

Run as a program it stands in for `pwsh` in front of validate-modules, which starts `pwsh ps_argspec.ps1 MANIFEST` to
learn the argument spec of a .ps1 module. It prints what that script would print, so that the comparison of spec and
documentation takes place where there is no PowerShell. It can't do anything else, and says so.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tree_sitter
import tree_sitter_powershell

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
_CONSTANTS = {"$true": True, "$false": False, "$null": None}


class NotReadableError(Exception):
    """Not PowerShell, or more than a literal where the argument spec has to be one."""


class Call(NamedTuple):
    """command: as it is written; parameters: with their dash, as they are written."""

    command: str
    parameters: tuple[str, ...]
    line: int


def parse(path: Path) -> tree_sitter.Node:
    """The syntax tree of a file.

    :raises NotReadableError: with the first line that the grammar does not take
    """
    root = _PARSER.parse(path.read_bytes()).root_node
    for node in walk(root):
        if node.is_error or node.is_missing:
            raise NotReadableError(f"{path}:{line(node)}: {text(node)[:80]!r} is not PowerShell")
    return root


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """The node and all below it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


def of_type(node: tree_sitter.Node, *types: str) -> Iterator[tree_sitter.Node]:
    return (found for found in walk(node) if found.type in types)


def text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def line(node: tree_sitter.Node) -> int:
    return node.start_point[0] + 1


def calls(root: tree_sitter.Node) -> list[Call]:
    """Every command that is called, with its parameters, those in a splatted dictionary included."""
    found = []
    splats: dict[str, list[str]] = {}
    for node in walk(root):
        if node.type == "assignment_expression":
            _note_keys(node, splats)
        elif node.type == "command":
            name = next(of_type(node, "command_name", "command_name_expr"))
            elements = [child for child in node.children if child.type == "command_elements"]
            parts = [part for whole in elements for part in whole.children]
            parameters = [text(part) for part in parts if part.type == "command_parameter"]
            parameters += [key for part in parts for key in splats.get(text(part), ())]
            found.append(Call(text(name), tuple(parameters), line(node)))
    return found


def _note_keys(assignment: tree_sitter.Node, splats: dict[str, list[str]]) -> None:
    """``$name = @{ A = 1 }`` and ``$name.A = 1``: what ``@name`` stands for from here on."""
    target, _operator, value = assignment.named_children
    name, _dot, member = text(target).replace("$", "@").partition(".")
    literal = next(of_type(value, "hash_literal_expression"), None)
    if member:
        splats.setdefault(name, []).append(f"-{member}")
    elif literal is not None:
        splats[name] = [f"-{text(key)}" for key in of_type(literal, "key_expression")]


def argument_spec(module: Path, utils: Iterable[Path]) -> dict[str, Any]:
    """The spec that a module hands to [Ansible.Basic.AnsibleModule]::Create, fragments merged as that merges them.

    :param utils: the .psm1 files whose functions give fragments
    :raises NotReadableError: where it is made of anything but literals, variables that hold some, and such functions
    """
    root = parse(module)
    known: dict[str, Any] = {}
    for util in utils:
        for function in of_type(parse(util), "function_statement"):
            literals = list(of_type(function, "hash_literal_expression"))
            if literals:
                known[text(next(of_type(function, "function_name")))] = literals[0]
    for assignment in of_type(root, "assignment_expression"):
        target, _operator, value = assignment.named_children
        known.setdefault(text(target), value)
    for call in of_type(root, "invokation_expression"):
        if text(call).startswith("[Ansible.Basic.AnsibleModule]::Create("):
            _module_arguments, spec, *fragments = next(of_type(call, "argument_expression_list")).named_children
            merged: dict[str, Any] = {}
            for part in (_evaluate(spec, known), *(_evaluate(fragments[0], known) if fragments else [])):
                _merge(merged, part)
            return merged
    raise NotReadableError(f"{module}: no call of [Ansible.Basic.AnsibleModule]::Create")


def _merge(spec: dict[str, Any], fragment: dict[str, Any]) -> None:
    """What the spec has already stays as it is; inside of dictionaries too, and lists grow."""
    for key, value in fragment.items():
        if isinstance(spec.get(key), dict):
            _merge(spec[key], value)
        elif isinstance(spec.get(key), list):
            spec[key] += value
        else:
            spec.setdefault(key, value)


def _evaluate(node: tree_sitter.Node, known: dict[str, Any]) -> Any:
    """The value of a literal; known: functions and variables, by name, with the node that holds their value."""
    parts = [child for child in node.named_children if child.type != "comment"]
    if node.type == "hash_literal_expression":
        return dict(_entry(entry, known) for entry in of_type_once(node, "hash_entry"))
    if node.type == "array_expression":
        statements = [_evaluate(pipeline, known) for pipeline in of_type_once(node, "pipeline")]
        return [value for found in statements for value in (found if isinstance(found, list) else [found])]
    if node.type in ("array_literal_expression", "argument_expression_list") and len(parts) > 1:
        return [_evaluate(part, known) for part in parts]
    if node.type == "verbatim_string_characters":
        return text(node)[1:-1].replace("''", "'")
    if node.type in ("decimal_integer_literal", "real_literal"):
        return json.loads(text(node))
    if node.type in ("variable", "command_name"):
        name = text(node)
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name in known:
            return _evaluate(known[name], known)
    # A level of the grammar that adds nothing. An operator would be a token of its own.
    tokens = {child.type for child in node.children if not child.is_named}
    if len(parts) == 1 and tokens <= {"(", ")"}:
        return _evaluate(parts[0], known)
    raise NotReadableError(f"line {line(node)}: {text(node)[:80]!r} is no literal")


def of_type_once(node: tree_sitter.Node, kind: str) -> Iterator[tree_sitter.Node]:
    """The uppermost nodes of a type below a node."""
    for child in node.children:
        if child.type == kind:
            yield child
        else:
            yield from of_type_once(child, kind)


def _entry(entry: tree_sitter.Node, known: dict[str, Any]) -> tuple[str, Any]:
    key, value = entry.named_children
    return text(key).strip("'"), _evaluate(value, known)


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 2 or Path(arguments[0]).name != "ps_argspec.ps1":
        sys.exit("This stand-in for pwsh only reads argument specs, as validate-modules asks for them.")
    manifest = json.loads(arguments[1])
    utils = [Path(path) for name, path in manifest.get("ps_utils", {}).items() if not name.startswith("Ansible.")]
    try:
        print(json.dumps(argument_spec(Path(manifest["module_path"]), utils)))
    except NotReadableError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
