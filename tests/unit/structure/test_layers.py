# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom, as docs/architecture.md states it: read from the imports of the plugins and of the emulator.

Every import counts: inside functions and under TYPE_CHECKING too, relative or absolute.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.imds.azure.plugins"
EMULATOR = "azure_imds_emulator"
EMULATOR_FILES = ROOT / "roles" / "azure_imds_emulator" / "files"

Graph = Mapping[str, set[str]]

# Layer -> the layers that it may import, besides itself. A module belongs to the longest name that starts its own.
LAYERS: Mapping[str, tuple[str, ...]] = {
    "modules": (
        "module_utils",
        "module_utils._imds",
        "module_utils._events",
        "module_utils._identity",
        "module_utils._routes",
        "module_utils._routes.host",
    ),
    "action": (
        "module_utils",
        "module_utils._imds",
        "module_utils._routes",
        "plugin_utils",
        "plugin_utils._attestation",
        "plugin_utils._route_plan",
    ),
    "filter": ("module_utils._imds", "plugin_utils._filter_input", "plugin_utils._fleet"),
    "lookup": ("module_utils._identity", "module_utils._imds"),
    "doc_fragments": (),
    # The options of the modules, and what only they need.
    "module_utils": ("module_utils._imds", "module_utils._events", "module_utils._identity", "module_utils._routes"),
    "module_utils._identity": ("module_utils._imds",),
    "module_utils._imds": (),
    "module_utils._events": ("module_utils._imds",),
    # The resident watcher: a program, which the role installs.
    "module_utils._watcher": ("module_utils._imds", "module_utils._events"),
    "module_utils._routes": ("module_utils._imds",),
    "module_utils._routes.host": ("module_utils._imds", "module_utils._routes"),
    # What the action plugins share.
    "plugin_utils": ("module_utils._imds",),
    "plugin_utils._attestation": (),
    "plugin_utils._filter_input": (),
    "plugin_utils._fleet": (),
    # The event source for ansible-rulebook; its file in extensions/eda does nothing but call it.
    "plugin_utils._event_source": ("module_utils._imds", "module_utils._events", "module_utils._watcher"),
    "plugin_utils._route_plan": ("module_utils._imds", "module_utils._routes"),
}

_PURE_EVENTS = ("approval", "dates", "document", "options", "phases", "selection", "terms")
# What decides; it takes values and returns values.
PURE = (
    *(
        f"module_utils._imds.{name}"
        for name in ("blank", "disks", "facts", "fields", "paths", "reasons", "tags", "versions")
    ),
    *(f"module_utils._events.{name}" for name in _PURE_EVENTS),
    *(f"module_utils._watcher.{name}" for name in ("ledger", "pace", "settings")),
    *(
        f"module_utils._identity.{name}"
        for name in ("options", "resources", "strict_json", "surroundings", "tokens", "vault")
    ),
    *(f"plugin_utils._event_source.{name}" for name in ("message", "options", "repeats")),
    "module_utils._routes",
    "plugin_utils._route_plan",
    *(f"plugin_utils.{name}" for name in ("_fleet", "_smbios", "_task_options", "_windows_disks", "_windows_guest")),
    *(f"plugin_utils._attestation.{name}" for name in ("cms", "der", "document", "policy", "reasons")),
)
IMPURE_LAYERS = ("module_utils._routes.host",)
IMPURE_MODULES = (
    *(f"module_utils._imds.{name}" for name in ("block_devices", "client", "guest", "platform", "transport")),
    *(f"module_utils._identity.{name}" for name in ("arc", "fetch", "https", "private_file")),
)
IO_MODULES = {
    *("ctypes", "fcntl", "ftplib", "glob", "http", "io", "os", "pathlib", "pty", "requests", "select", "selectors"),
    *("shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "zipfile"),
}


def imported(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """The dotted names that a module's source imports; of a ``from`` import each name, with its package."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{full}.{name.name}" for name in node.names)


def read_graph(folder: Path, package: str) -> dict[str, set[str]]:
    """Module -> what it imports: modules of the package by their full names, everything else as it is written."""
    sources: dict[str, tuple[str, bool]] = {}
    for file in sorted(folder.rglob("*.py")):
        is_package = file.stem == "__init__"
        parts = file.relative_to(folder).with_suffix("").parts
        name = ".".join([package, *(parts[:-1] if is_package else parts)])
        sources[name] = file.read_text(encoding="utf-8"), is_package
    return {
        name: {target_of(target, sources) for target in imported(source, name, is_package)}
        for name, (source, is_package) in sources.items()
    }


def target_of(name: str, modules: Iterable[str]) -> str:
    """The module that a dotted name stands for: itself, or the module that holds it."""
    parent = name.rpartition(".")[0]
    return name if name in modules or parent not in modules else parent


def cycle_in(graph: Graph) -> list[str]:
    """Some cycle, as the names along it; empty where there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if other != name and (found := visit(other, [*path, name])):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name, []))), [])


def folded(graph: Graph) -> dict[str, set[str]]:
    """The same between packages. A module outside of every subpackage stays a node of its own."""

    def fold(name: str) -> str:
        parts = name.split(".")
        return ".".join(parts[:2]) if len(parts) > 2 else name

    result: dict[str, set[str]] = {}
    for name, targets in graph.items():
        result.setdefault(fold(name), set()).update(fold(target) for target in targets)
    return {name: targets - {name} for name, targets in result.items()}


def layer_of(module: str) -> str:
    """The layer of a module of the plugins, empty where it has none."""
    name = module.removeprefix(f"{PLUGINS}.")
    fitting = [layer for layer in LAYERS if name == layer or name.startswith(f"{layer}.")]
    found = max(fitting, key=len, default="")
    # A package without a row of its own must not pass as the modules beside it.
    parts = name[len(found) :].strip(".").split(".")
    return found if found != "module_utils" or len(parts) < 2 else ""


def upward(graph: Graph) -> list[str]:
    """The imports that LAYERS does not allow."""
    found = []
    for name, targets in graph.items():
        own = layer_of(name)
        for target in targets:
            if target.startswith(PLUGINS) and layer_of(target) not in (own, *LAYERS.get(own, ())):
                found.append(f"{name} -> {target}")
    return sorted(found)


@pytest.fixture(scope="module")
def plugins() -> Graph:
    return read_graph(ROOT / "plugins", PLUGINS)


@pytest.fixture(scope="module")
def emulator() -> Graph:
    return read_graph(EMULATOR_FILES / EMULATOR, EMULATOR)


def test_every_plugin_has_a_layer(plugins: Graph) -> None:
    assert [name for name in plugins if not layer_of(name)] == []
    assert len(plugins) > 50


def test_plugins_import_only_what_their_layer_may(plugins: Graph) -> None:
    assert upward(plugins) == []


def test_no_cycle_among_plugins(plugins: Graph) -> None:
    assert cycle_in(plugins) == []


def test_no_cycle_in_the_emulator(emulator: Graph) -> None:
    assert len(emulator) > 20
    assert cycle_in(emulator) == []


def test_no_upward_import_in_the_emulator(emulator: Graph) -> None:
    """Between its packages, a cycle is what an upward import closes."""
    assert cycle_in(folded(emulator)) == []


def test_plugins_and_emulator_never_import_each_other(plugins: Graph, emulator: Graph) -> None:
    assert [name for name, targets in plugins.items() if any(EMULATOR in target for target in targets)] == []
    assert [name for name, targets in emulator.items() if any("ansible" in target for target in targets)] == []


def test_what_decides_does_no_io(plugins: Graph) -> None:
    pure = [f"{PLUGINS}.{name}" for name in PURE]
    impure = tuple(f"{PLUGINS}.{name}" for name in (*IMPURE_LAYERS, *IMPURE_MODULES))
    checked = 0
    for name, targets in plugins.items():
        if not any(name == one or name.startswith(f"{one}.") for one in pure) or name.startswith(impure):
            continue
        checked += 1
        assert {target.split(".")[0] for target in targets} & IO_MODULES == set(), name
        assert [target for target in targets if target.startswith(impure)] == [], name
    assert checked > 25


def test_the_event_source_only_calls_its_package() -> None:
    files = sorted((ROOT / "extensions" / "eda" / "plugins").rglob("*.py"))
    assert files
    for file in files:
        targets = set(imported(file.read_text(encoding="utf-8"), file.stem))
        own = {target for target in targets if target.startswith("ansible_collections.")}
        assert all(target.startswith(f"{PLUGINS}.plugin_utils._event_source.") for target in own)
        assert targets - own <= {"__future__.annotations", "asyncio", "pathlib.Path", "sys", "typing.Any"}


def test_architecture_page_names_every_layer() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `plugins/")]
    named = {row.split("`")[1].removeprefix("plugins/").replace("/", ".") for row in rows}
    assert set(LAYERS) <= named


# --- the reader itself --------------------------------------------------------------------------------------------


SOURCE = """
import os.path
from . import sibling
from .. import cousin
from ..other import name
from a.b import c
if TYPE_CHECKING:
    from .typed import T
def f():
    from .inner import g
    import lazy
"""


def test_reader_sees_every_kind_of_import() -> None:
    names = {"os.path", "p.q.sibling", "p.cousin", "p.other.name", "a.b.c", "p.q.typed.T", "p.q.inner.g", "lazy"}
    assert set(imported(SOURCE, "p.q.module")) == names
    assert set(imported("from . import a\nfrom .. import b", "p.q", is_package=True)) == {"p.q.a", "p.b"}


def test_reader_finds_cycles() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert cycle_in(folded({"p.x.a": {"p.y"}, "p.y": {"p.x.b"}, "p.x.b": set()})) == ["p.x", "p.y", "p.x"]


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("module_utils._imds.client", "module_utils._routes.model"),
        ("module_utils._routes.lookup", "module_utils._routes.host.journal"),
        ("module_utils._routes.primary", "plugin_utils._route_plan.plan"),
        ("action.azure_imds_route_fix", "module_utils._routes.host.probe"),
        ("plugin_utils._attestation.verify", "module_utils._imds.client"),
        ("modules.azure_imds_facts", "plugin_utils._attestation.verify"),
        ("module_utils._imds.client", "module_utils._unheard_of.module"),
    ],
)
def test_reader_finds_upward_imports(module: str, target: str) -> None:
    graph = {f"{PLUGINS}.{module}": {f"{PLUGINS}.{target}"}}
    assert upward(graph) == [f"{PLUGINS}.{module} -> {PLUGINS}.{target}"]
