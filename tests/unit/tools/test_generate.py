# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The generator: what it writes, and how it notices that something is out of date."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from ansible_collections.imds.azure.plugins.module_utils._imds import fields
from ansible_collections.imds.azure.tests.tools.generate import (
    conditions,
    csharp,
    documentation,
    facts,
    pages,
    powershell_spec,
)
from ansible_collections.imds.azure.tests.tools.generate.__main__ import FILES, main
from ansible_collections.imds.azure.tests.tools.generate.regions import RegionError, rewrite

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_region_is_replaced_and_the_rest_is_kept() -> None:
    text = "a\n  // <generated x: make generate>\nold\n  // </generated>\nb\n"
    made = rewrite(text, {"x": lambda: ["one", "", "  two"]})
    assert made == "a\n  // <generated x: make generate>\n  one\n\n    two\n  // </generated>\nb\n"
    assert rewrite(made, {"x": lambda: ["one", "", "  two"]}) == made


@pytest.mark.parametrize("comment", ["//", "#", ".."])
def test_regions_stand_in_comments_of_each_language(comment: str) -> None:
    text = f"{comment} <generated x: make generate>\n{comment} </generated>\n"
    assert rewrite(text, {"x": lambda: ["1"]}).splitlines()[1] == "1"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# <generated x: make generate>\n", "has no end"),
        ("# <generated y: make generate>\n# </generated>\n", "y is unknown"),
        ("# <generated x: make generate>\n# </generated>\n" * 2, "there twice"),
        ("nothing\n", "x is missing"),
    ],
)
def test_a_file_that_lost_its_region_is_an_error(text: str, fault: str) -> None:
    with pytest.raises(RegionError, match=fault):
        rewrite(text, {"x": list})


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_named_and_written_anew(tree: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    file = tree / name
    right = file.read_text(encoding="utf-8")
    changed = re.sub(r"(<generated .*>\n)", r"\1something else\n", right, count=1)
    file.write_text(changed, encoding="utf-8")
    assert main(["--check", str(tree)]) == 1
    assert capsys.readouterr().out == f"not up to date: {name}\nRun make generate.\n"
    assert file.read_text(encoding="utf-8") == changed
    assert main([str(tree)]) == 0
    assert capsys.readouterr().out == f"written: {name}\n"
    assert file.read_text(encoding="utf-8") == right
    assert main(["--check", str(tree)]) == 0


def test_no_file_has_a_region_that_nobody_makes() -> None:
    sources = [
        file
        for folder in ("plugins", "docs", "roles", "tests/integration")
        for file in (ROOT / folder).rglob("*")
        if file.is_file()
    ]
    marked = {
        str(file.relative_to(ROOT))
        for file in sources
        if re.search(
            r"^ *\S+ <generated \w+: make generate>", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
    }
    assert marked == set(FILES)


def test_the_options_of_every_twin_are_made() -> None:
    twins = {str(file.relative_to(ROOT)) for file in (ROOT / "plugins" / "modules").glob("*.ps1")}
    assert twins <= {name for name, makers in FILES.items() if "options" in makers}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", '"a"'), ('a"b\\c', '"a\\"b\\\\c"'), (0.25, "0.25"), (1, "1"), (2.0, "2"), (True, "true")],
)
def test_csharp_literals(value: object, expected: str) -> None:
    assert csharp.literal(value) == expected


def test_csharp_breaks_what_is_too_long_for_a_line() -> None:
    text = "word " * 40 + "end"
    lines = csharp.constructed("Reason", ["code", text], 12, ",")
    assert max(map(len, lines)) + 12 <= 120
    assert "".join(re.findall(r'"(.*?)"', "".join(lines))) == "code" + text
    assert csharp.constructed("Reason", ["code", "short"], 12, ",") == ['new Reason("code", "short"),']


@pytest.mark.parametrize(
    ("value", "expected"),
    [("it's", "'it''s'"), (True, "$true"), (2.0, "2.0"), (120, "120"), (("a", "b"), "@('a', 'b')"), ([], "@()")],
)
def test_powershell_literals(value: object, expected: str) -> None:
    assert powershell_spec.literal(value) == expected


def test_powershell_has_no_form_for_an_object() -> None:
    with pytest.raises(TypeError, match="no form"):
        powershell_spec.literal(object())


def test_powershell_options_are_broken_where_a_line_is_too_long() -> None:
    lines = powershell_spec.entries({"a": {"type": "str"}, "b": {"type": "str", "choices": ["word"] * 30}})
    assert lines[0] == "a = @{ type = 'str' }"
    assert lines[1:4] == ["b = @{", "    type = 'str'", "    choices = @("]
    assert max(map(len, lines)) <= 100


def test_every_fact_has_a_description() -> None:
    told = facts.descriptions()
    assert [field.fact for field in fields.FIELDS if not told.get(field.fact)] == []
    groups = {field.fact.rpartition(".")[0] for field in fields.FIELDS} - {""}
    assert groups <= set(told)
    assert not [fact for fact, text in told.items() if not text.endswith(".")]


def test_what_is_returned_is_yaml_of_the_documented_shape() -> None:
    returned = yaml.safe_load("\n".join(facts.returned()))
    assert returned["security"]["contains"]["secure_boot"]["type"] == "bool"
    assert returned["tags_list"]["elements"] == "dict"
    assert set(returned["endpoints"]["contains"]) == set(next(iter(fields.CLOUDS.values())))


def test_the_device_of_a_disk_is_documented_for_both_systems() -> None:
    returned = yaml.safe_load("\n".join(facts.returned()))["storage"]["contains"]
    device = returned["data_disks"]["contains"]["device"]["contains"]
    assert set(device) == {*fields.DEVICE, *fields.WINDOWS_DEVICE}
    for fact in ("os_disk", "resource_disk", "local_disks"):
        assert "data_disks[].device" in returned[fact]["contains"]["device"]["description"]


def test_a_page_has_a_row_for_each_entry() -> None:
    assert pages.table(("A", "B"), [("x", "")]) == [
        *("", ".. list-table::", "   :header-rows: 1", ""),
        *("   * - A", "     - B", "   * - x", "     -", ""),
    ]


def test_references_to_a_return_value_name_its_module() -> None:
    text = "\n".join(documentation.options_of("azure_imds_facts"))
    assert "RV(imds.azure.azure_imds_facts#module:ansible_facts.azure_imds.reason)" in text
    with pytest.raises(LookupError, match="no NOTHING"):
        documentation._text("azure_imds_facts", "NOTHING")


def test_every_documented_condition_is_executed() -> None:
    tasks = yaml.safe_load("\n".join(conditions.tasks()))
    executed = [task["when"] for task in tasks if "when" in task]
    assert 'ansible_facts.azure_imds | imds.azure.tag("role") == "web"' in executed
    recipes = (ROOT / "docs/docsite/rst/conditionals.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^     - ``(.*)``$", recipes, re.MULTILINE)
    assert len(rows) > 5
    assert set(rows) <= set(executed)
    for page in (ROOT / "docs/docsite/rst").glob("*.rst"):
        for condition in re.findall(r"^ +(?:when|that): (?!\"|')(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert condition in executed, page.name
