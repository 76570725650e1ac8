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
from ansible_collections.imds.azure.plugins.module_utils._imds import disks
from ansible_collections.imds.azure.plugins.module_utils._module import argument_spec as imds_spec
from ansible_collections.imds.azure.tests.scenarios.guide import Guide

ROOT = Path(__file__).parents[3]
GUIDES = ROOT / "docs" / "docsite" / "rst"
MARKDOWN = sorted(
    file
    for pattern in ("*.md", "docs/*.md", "roles/*/README.md")
    for file in ROOT.glob(pattern)
    if file.name != "CHANGELOG.md"  # antsibull-changelog writes it
)
PAGES = [*MARKDOWN, *sorted(GUIDES.glob("*.rst"))]
LABEL = "ansible_collections.imds.azure.docsite."
# Where links of the README lead, because Galaxy shows it without the files around it.
REPOSITORY = "https://github.com/imds/azure/blob/main/"


def page_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def rows(page: str, *headings: str) -> list[list[str]]:
    """The cells of the guide's list-table whose first column headings are these, without their code marks."""
    text = (GUIDES / f"{page}.rst").read_text(encoding="utf-8")
    for table in re.findall(r"^\.\. list-table::\n(?:   :.*\n)*\n((?:   .*\n)+)", text, re.MULTILINE):
        lines = [re.sub(r"^   ( |\*) -", "", line).strip().strip("`") for line in table.splitlines()]
        starts = [number for number, line in enumerate(table.splitlines()) if line.startswith("   * -")]
        found = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)])]
        if found[0][: len(headings)] == list(headings):
            return found[1:]
    raise LookupError(f"{page}.rst has no table {headings}")


def test_attestation_page_names_every_option_of_its_own() -> None:
    text = (GUIDES / "attestation.rst").read_text(encoding="utf-8")
    own = attest_spec().keys() - imds_spec().keys()
    assert not [option for option in own if f"`{option}`" not in text and f"`{option}: " not in text]


def test_route_fix_page_has_every_option() -> None:
    told = {name.strip("`") for row in rows("route_fix", "Option", "Default") for name in row[0].split(", ")}
    assert told == set(_route_fix.argument_spec()) - set(imds_spec()) - {"request"}


@pytest.mark.parametrize("page", MARKDOWN, ids=page_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace(f"]({REPOSITORY}", "](")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{page.name} links to {target}#{anchor}"


def test_links_of_the_readme_work_on_galaxy() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not re.findall(r"\]\((?!https?:|#)[^)]*\)", text)


def test_page_about_disks_names_every_code() -> None:
    told = {row[0] for row in rows("disks", "Code")} | {row[0] for row in rows("disks", "Reason")}
    assert told == {*disks.CONTRADICTIONS, *disks.UNREADABLE, "not_read"}


@pytest.mark.parametrize(("guide", "folder", "count"), [("disks", "disks", 2), ("maintenance", "maintenance/tasks", 8)])
def test_recipes_are_those_that_molecule_runs(guide: str, folder: str, count: int) -> None:
    """Those for Linux; tests/powershell runs the one for Windows."""
    recipes = [sample for sample in Guide(guide).samples if sample.caption not in ("", "initialize_disk.yml")]
    assert len(recipes) == count
    for recipe in recipes:
        text = (ROOT / "extensions" / "molecule" / folder / recipe.caption).read_text(encoding="utf-8")
        assert re.sub(" # noqa: .*", "", text).endswith(f"\n{recipe.text}"), recipe.caption


def test_references_to_guides_lead_somewhere() -> None:
    """Those of the guides, and those of the plugins' and roles' documentation."""
    guides = {file.stem: file.read_text(encoding="utf-8") for file in GUIDES.glob("*.rst")}
    labels = {label for text in guides.values() for label in re.findall(r"^\.\. _(.*):$", text, re.MULTILINE)}
    assert labels >= {LABEL + name for name in guides}
    sources = [*GUIDES.glob("*.rst"), *(ROOT / "plugins").rglob("*.py"), *(ROOT / "plugins").rglob("*.yml")]
    sources += (ROOT / "roles").glob("*/meta/argument_specs.yml")
    for source in sources:
        for label in re.findall(rf"{re.escape(LABEL)}[a-z_.]*[a-z_]", source.read_text(encoding="utf-8")):
            assert label in labels, f"{page_of(source)} refers to {label}"


# The glossary in CONTRIBUTING.md says what to write instead.
AVOIDED = re.compile(
    r"\b(?:tak|took)(?:e|es|en|ing)?(?: it| them)? back\b|\bwishes\b|\boracle\b|is no Azure VM", re.IGNORECASE
)


def documents() -> list[Path]:
    """All that users read."""
    patterns: tuple[str, ...] = (
        "plugins/modules/*",
        "plugins/doc_fragments/*.py",
        "plugins/filter/*.yml",
        "playbooks/*.yml",
    )
    patterns += ("roles/*/meta/argument_specs.yml", "changelogs/fragments/*.yml", "changelogs/changelog.yaml")
    files = [file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()]
    return [*files, *(page for page in PAGES if page.name != "CONTRIBUTING.md")]


def test_documents_use_the_words_of_the_glossary() -> None:
    found = [
        f"{page_of(file)}: {hit}" for file in documents() for hit in AVOIDED.findall(file.read_text(encoding="utf-8"))
    ]
    assert not found


def test_every_guide_is_in_a_section() -> None:
    sections = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    listed = [name for section in sections for name in section["toctree"]]
    assert sorted(listed) == sorted(file.stem for file in GUIDES.glob("*.rst"))


def yaml_samples(page: Path) -> list[str]:
    if page.suffix == ".md":
        return re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [sample.text for sample in Guide(page.stem).samples if sample.language == "yaml"]


@pytest.mark.parametrize("page", PAGES, ids=page_of)
def test_yaml_samples_are_yaml(page: Path) -> None:
    for sample in yaml_samples(page):
        assert yaml.safe_load(sample)


def test_yaml_samples_are_found() -> None:
    """None is missed, however its page spells a sample."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(yaml_samples(page)) == len(re.findall(r"```ya?ml|code(?:-block)?:: ya?ml", text)), page.name


def documentation(file: Path) -> dict[str, str]:
    """What a plugin's file says of itself: DOCUMENTATION, EXAMPLES, RETURN."""
    if file.suffix == ".yml":
        text = yaml.safe_load(file.read_text(encoding="utf-8"))
        return {**text, "DOCUMENTATION": yaml.safe_dump(text["DOCUMENTATION"])}
    return dict(
        re.findall(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r"""\n(.*?)^"""', file.read_text(encoding="utf-8"), re.M | re.S)
    )


DOCUMENTED = sorted([*(ROOT / "plugins").glob("modules/*.py"), *(ROOT / "plugins").glob("*/*.yml")])
KEYWORDS = {"name", "async", "become", "delegate_to", "failed_when", "loop", "no_log", "poll", "register", "run_once"}
KEYWORDS |= {"vars", "when"}


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


@pytest.mark.parametrize(
    "module", [file for file in DOCUMENTED if file.suffix == ".py"], ids=lambda file: str(file.stem)
)
def test_a_module_has_a_windows_twin_or_says_why_not(module: Path) -> None:
    """The reason stands where ansible-doc shows the platforms."""
    if module.with_name(f"{module.stem}_windows.ps1").exists():
        assert module.with_name(f"{module.stem}_windows.yml").exists()
        return
    platform = yaml.safe_load(documentation(module)["DOCUMENTATION"])["attributes"]["platform"]
    assert platform["platforms"] == "posix"
    assert platform.get("details"), f"{module.stem} has neither a twin for Windows nor a reason for that"
