# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages say what the code does, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.imds.azure.plugins.module_utils import _route_fix
from ansible_collections.imds.azure.plugins.module_utils._attest import argument_spec as attest_spec
from ansible_collections.imds.azure.plugins.module_utils._imds.fields import FIELDS
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import REASONS
from ansible_collections.imds.azure.plugins.module_utils._imds.retry import RULES
from ansible_collections.imds.azure.plugins.module_utils._module import argument_spec as imds_spec
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import TABLE as FINDINGS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import REASONS as VERDICTS

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "roles").glob("*/README.md")])
TYPES = {
    "blob": "dictionary",
    "boolean": "boolean",
    "disks": "list",
    "endpoints": "dictionary",
    "environment": "string",
    "integer": "integer",
    "interfaces": "list",
    "list": "list",
    "location": "string",
    "object": "dictionary",
    "primary": "dictionary",
    "private_ip": "string",
    "public_ip": "string",
    "public_ip_source": "string",
    "public_keys": "list",
    "string": "string",
    "tags": "dictionary",
}


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table whose heading begins so, without their code marks."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(heading))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    return found


def test_facts_page_is_the_table_of_fields() -> None:
    expected = [[field.fact, TYPES[field.kind], field.source, field.since] for field in FIELDS]
    assert rows("facts.md", "| Fact | Type | Source") == expected


def test_reasons_page_is_the_table_of_reasons() -> None:
    assert rows("reasons.md", "| Code | Meaning") == [list(vars(reason).values()) for reason in REASONS.values()]


def test_attestation_page_is_the_table_of_its_reasons() -> None:
    assert rows("attestation.md", "| Code | Step") == [[code, *reason] for code, reason in VERDICTS.items()]


def test_attestation_page_names_every_option_of_its_own() -> None:
    text = (ROOT / "docs" / "attestation.md").read_text(encoding="utf-8")
    own = attest_spec().keys() - imds_spec().keys()
    assert not [option for option in own if f"`{option}`" not in text and f"`{option}: " not in text]


def test_reasons_page_tells_the_waits() -> None:
    waits = {row[0]: row[2] for row in rows("reasons.md", "| Seen | Further")}
    tries = {row[0]: int(row[1]) for row in rows("reasons.md", "| Seen | Further")}
    for seen, outcome in (
        ("410", "updating"),
        ("429", "throttled"),
        ("408, 5xx", "server_error"),
        ("404 on a path that every VM has", "missing_root"),
        ("no answer in time, connection lost", "read_timeout"),
        ("no connection", "refused"),
        ("an answer that is not IMDS' or not complete", "malformed"),
    ):
        assert tries[seen] == len(RULES[outcome].waits)
        told = {int(number) for number in re.findall(r"\b\d{1,2}\b", waits[seen])}
        assert set(RULES[outcome].waits) <= told


def test_route_fix_page_is_the_table_of_findings() -> None:
    told = rows("route_fix.md", "| Finding | Severity")
    told += [[code, "refusal", *texts] for code, *texts in rows("route_fix.md", "| Refusal")]
    assert told == [[code, *texts] for code, texts in FINDINGS.items()]


def test_route_fix_page_has_every_option() -> None:
    told = {name.strip("`") for row in rows("route_fix.md", "| Option | Default") for name in row[0].split(", ")}
    assert told == set(_route_fix.argument_spec()) - set(imds_spec()) - {"request"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_yaml_samples_are_yaml(page: Path) -> None:
    for sample in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        yaml.safe_load(sample)


def documentation(file: Path) -> dict[str, str]:
    """What a plugin's file says of itself: DOCUMENTATION, EXAMPLES, RETURN."""
    if file.suffix == ".yml":
        text = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {**text, "DOCUMENTATION": yaml.safe_dump(text["DOCUMENTATION"])}
    return dict(
        re.findall(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r"""\n(.*?)^"""', file.read_text(encoding="utf-8"), re.M | re.S)
    )


DOCUMENTED = sorted([*(ROOT / "plugins").glob("modules/*.py"), *(ROOT / "plugins").glob("*/*.yml")])
KEYWORDS = {"name", "become", "delegate_to", "failed_when", "register", "run_once", "vars", "when"}


def documented_options(module: Path) -> set[str]:
    """The options of a module, and those of its doc fragments."""
    text = yaml.safe_load(documentation(module)["DOCUMENTATION"])
    options = set(text.get("options", {}))
    for name in text["extends_documentation_fragment"]:
        fragment, _dot, part = name[len("imds.azure.") :].partition(".")
        source = (ROOT / "plugins" / "doc_fragments" / f"{fragment}.py").read_text(encoding="utf-8")
        found = re.search(rf'^    {part.upper() or "DOCUMENTATION"} = r"""\n(.*?)^"""', source, re.M | re.S)
        assert found, name
        options |= set(yaml.safe_load(found[1]).get("options", {}))
    return options


@pytest.mark.parametrize("file", DOCUMENTED, ids=lambda file: str(file.stem))
def test_examples_are_tasks(file: Path) -> None:
    """Each could be pasted into a list of tasks: not a play, one action, and options that the action has."""
    known: dict[str, set[str]] = {
        f"imds.azure.{module.stem}": documented_options(module) for module in DOCUMENTED if module.suffix == ".py"
    }
    for task in yaml.safe_load(documentation(file)["EXAMPLES"]):
        actions = [key for key in task if key.count(".") >= 2]
        assert len(actions) == 1, task
        assert set(task) <= {*actions, *KEYWORDS}, task
        options = set(task[actions[0]] or {})
        assert options <= known.get(actions[0], options), task


def test_readme_names_every_module_role_playbook_and_filter() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [file.stem for folder in ("modules", "filter") for file in (ROOT / "plugins" / folder).glob("*.py")]
    names += [folder.name for folder in (ROOT / "roles").iterdir() if folder.is_dir()]
    names += [file.stem for file in (ROOT / "playbooks").glob("*.yml")]
    missing = [name for name in names if not name.startswith("_") and f"imds.azure.{name}`" not in text]
    assert not missing


def test_every_module_is_in_the_action_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    files = [file for file in (ROOT / "plugins" / "modules").iterdir() if file.suffix in (".py", ".ps1")]
    assert set(runtime["action_groups"]["imds"]) == {file.stem for file in files}


def test_every_windows_module_runs_under_the_name_of_its_twin() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    twins = [file.stem for file in (ROOT / "plugins" / "modules").glob("*.ps1")]
    assert runtime["plugin_routing"]["modules"] == {
        f"{twin[: -len('_windows')]}.ps1": {"redirect": f"imds.azure.{twin}"} for twin in twins
    }
