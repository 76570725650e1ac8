# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one command consists of."""

from __future__ import annotations

import ast
import re
import zlib
from base64 import b64decode

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._payload import FOLDER, ROOT, needed, pack, strip, untyped

OPERATIONS = ("_imds.run_facts", "_imds.run_info", "_imds.run_attest", "_events.run_info")
FILES = sorted(path for folder in ("_imds", "_events") for path in (FOLDER / folder).glob("*.py"))


def undocumented(source: str) -> str:
    """The syntax tree without documentation."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for statement in body:
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    statement.value.value = "" if isinstance(statement.value.value, str) else statement.value.value
    return ast.dump(tree)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_what_is_stripped_means_the_same(file: str) -> None:
    source = FOLDER.joinpath(file).read_text(encoding="utf-8")
    stripped = strip(source)
    assert undocumented(stripped) == undocumented(source)
    assert "SPDX" not in stripped
    assert len(stripped) <= len(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Text."""\nx = 1  # why\n', '""\nx = 1\n'),
        (
            "def f():\n    '''Several\n    lines.'''\n\n    return '# none'\n",
            "def f():\n    \"\"\n    return '# none'\n",
        ),
        ("x = (\n    1,  # one\n    # two\n)\n", "x = (\n    1,\n)\n"),
        ('x = """a\n"""\n', 'x = """a\n"""\n'),
        ("class C:\n    # first\n    'Text.'\n    y: int\n", 'class C:\n    ""\n    y: int\n'),
    ],
)
def test_comments_and_documentation_go(source: str, expected: str) -> None:
    assert strip(source) == expected


def test_a_line_of_text_that_is_a_value_stays() -> None:
    kept = 'TABLE = """\n# no comment\n\nrow\n"""\n'
    assert ast.literal_eval(strip(kept).partition(" = ")[2]) == "\n# no comment\n\nrow\n"


FUTURE = "from __future__ import annotations\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{FUTURE}from typing import Any\nx: Any = 1\n", f"{FUTURE}x: Any = 1\n"),
        (f"{FUTURE}from typing import (\n    Any,\n    List,\n)\ndef f(x: Any) -> List: ...\n", None),
        (f"{FUTURE}from typing import TYPE_CHECKING, Any\nif TYPE_CHECKING:\n    import x\n", None),
        (f"{FUTURE}from typing import Any, cast\nx = cast(Any, 1)\n", "same"),
        (f"{FUTURE}from typing import NamedTuple\nclass X(NamedTuple):\n    y: int\n", "same"),
        ("from typing import Any\nx: Any = 1\n", "same"),
    ],
)
def test_imports_that_only_annotations_need_go(source: str, expected: str | None) -> None:
    found = untyped(source)
    exec(compile(found, "found", "exec"), {})
    if expected is None:
        assert "import" not in found.replace(FUTURE, "").replace("    import x", "")
    else:
        assert found == (source if expected == "same" else expected)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_of_typing_is_imported_on_the_host(operation: str) -> None:
    for source in needed(f"{ROOT}.{operation}").values():
        assert "from typing import" not in untyped(source)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_all_that_is_needed_is_sent_and_nothing_else(operation: str) -> None:
    names = {name[len(ROOT) + 1 :] for name in needed(f"{ROOT}.{operation}")}
    assert {operation, "_imds.client", "_imds.transport"} <= names
    assert not {"_imds.interpreter", "_imds.local_fact"} & names
    assert not {other for other in OPERATIONS if other != operation} & names
    assert ("_imds.facts" in names) == (operation == "_imds.run_facts")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_program_fits_into_a_command_line_and_needs_no_quoting(operation: str) -> None:
    program = pack(operation)
    assert len(program) < 48_000
    assert program.isascii()
    assert not set("'\n") & set(program)
    assert pack(operation) is program


def test_a_program_is_its_sources() -> None:
    found = re.search(r'a2b_base64\("([^"]+)"\)', pack("_imds.run_info"))
    assert found
    text = zlib.decompress(b64decode(found[1])).decode()
    assert text.endswith(f"'{ROOT}._imds.run_info')\n")
