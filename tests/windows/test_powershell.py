# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The PowerShell of the collection, held to what text can be held to. tests/powershell executes it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible_collections.imds.azure.plugins.modules import (
    azure_imds_attest,
    azure_imds_facts,
    azure_imds_info,
    azure_imds_keyvault_secret,
    azure_imds_route_fix,
    azure_imds_scheduled_events,
    azure_imds_scheduled_events_info,
    azure_imds_token,
)
from ansible_collections.imds.azure.tests.scenarios.module_runner import argument_spec
from ansible_collections.imds.azure.tests.tools import powershell
from ansible_collections.imds.azure.tests.windows.cmdlets import CHANGING, CIM_CLASSES, CMDLETS
from ansible_collections.imds.azure.tests.windows.core import sources

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT.parents[2]
PACKAGE = "ansible_collections.imds.azure.plugins"
UTILS = sorted((ROOT / "plugins" / "module_utils").glob("*.psm1"))
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.ps1"))
ONE_COMMAND = ROOT / "plugins" / "plugin_utils" / "_one_command_windows.ps1"
TWINS: dict[str, ModuleType] = {
    "azure_imds_attest_windows": azure_imds_attest,
    "azure_imds_facts_windows": azure_imds_facts,
    "azure_imds_info_windows": azure_imds_info,
    "azure_imds_keyvault_secret_windows": azure_imds_keyvault_secret,
    "azure_imds_route_fix_windows": azure_imds_route_fix,
    "azure_imds_scheduled_events_info_windows": azure_imds_scheduled_events_info,
    "azure_imds_scheduled_events_windows": azure_imds_scheduled_events,
    "azure_imds_token_windows": azure_imds_token,
}

# What those return that are the host's part of an action plugin; their Python twins document what the task returns.
HOST_PARTS = {
    "azure_imds_attest_windows": {"verified", "evidence", "api_version", "reason", "remedy", "attempts"},
    "azure_imds_route_fix_windows": {
        *("report", "recovered"),
        *("kept", "rolled_back", "error", "undo_errors", "proof", "restored", "tables"),
    },
}

# All .NET types that may be named. Ours come from the C# utilities.
TYPES = {
    "Ansible.Basic.AnsibleModule",
    "Microsoft.Win32.Registry",
    "System.Collections.Hashtable",
    "System.Func[string]",
    "System.Globalization.CultureInfo",
    "System.Security.Principal.WindowsBuiltInRole",
    "System.Security.Principal.WindowsIdentity",
    "System.Security.Principal.WindowsPrincipal",
    "System.Threading.Thread",
    *("bool", "long", "object", "string", "string[]"),
}
# Those of the one command, which has no C#. All of them are in .NET Framework 4.6.2, and none calls what is not .NET.
ONE_COMMAND_TYPES = {
    *("Array", "BitConverter", "Convert", "Math", "byte", "byte[]", "char", "int", "long", "regex", "string[]"),
    *("Diagnostics.Stopwatch", "IO.MemoryStream", "Microsoft.Win32.Registry", "Net.IPAddress", "Net.Sockets.Socket"),
    *("Net.NetworkInformation.NetworkInterface", "Text.Encoding"),
}
NEWER_THAN_5_1 = {"&&", "||", "??", "??=", "?.", "?[", "?"}

# Lines after the argument spec. What needs more than this thinks, and belongs into C#.
LONGEST_WIRING = 20


def name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", [*UTILS, *MODULES, ONE_COMMAND], ids=name)
def test_it_is_powershell(path: Path) -> None:
    powershell.parse(path)


@pytest.mark.parametrize("path", [*UTILS, *MODULES, ONE_COMMAND, *sources()], ids=name)
def test_windows_powershell_reads_nothing_but_ascii_without_a_mark(path: Path) -> None:
    path.read_bytes().decode("ascii")


@pytest.mark.parametrize("path", sources(), ids=name)
def test_lines_are_as_short_as_those_of_python(path: Path) -> None:
    assert max(map(len, path.read_text().splitlines())) <= 120


@pytest.mark.parametrize("path", [*UTILS, *MODULES], ids=name)
def test_commands_and_parameters_are_on_the_list(path: Path) -> None:
    own = {
        powershell.text(next(powershell.of_type(function, "function_name"))): {
            powershell.text(variable).replace("$", "-")
            for parameter in powershell.of_type(function, "script_parameter")
            for variable in parameter.children
            if variable.type == "variable"
        }
        for util in UTILS
        for function in powershell.of_type(powershell.parse(util), "function_statement")
    }
    for call in powershell.calls(powershell.parse(path)):
        allowed = {**CMDLETS, **own}.get(call.command)
        assert allowed is not None, f"line {call.line}: {call.command}"
        assert set(call.parameters) <= allowed, f"line {call.line}: {call.command}"


@pytest.mark.parametrize("path", [*UTILS, *MODULES], ids=name)
def test_what_changes_something_asks_nobody_and_stops_at_an_error(path: Path) -> None:
    """A prompt is an error where nobody sits, and without selectors these cmdlets act on all routes there are."""
    root = powershell.parse(path)
    for command, call in zip(powershell.of_type(root, "command"), powershell.calls(root)):
        text = powershell.text(command)
        if call.command in CMDLETS and call.command.partition("-")[2].startswith(("Net", "Cim", "Service")):
            assert text.rstrip().endswith("-ErrorAction Stop"), f"line {call.line}"
        if call.command in CHANGING:
            assert "-Confirm:$false" in text, f"line {call.line}"
            selectors = {"-InterfaceIndex"} | (
                {"-IPAddress"} if call.command == "Set-NetIPAddress" else {"-DestinationPrefix", "-NextHop"}
            )
            assert selectors <= set(call.parameters), f"line {call.line}"


@pytest.mark.parametrize("path", [*UTILS, *MODULES], ids=name)
def test_no_other_class_is_asked_of_cim(path: Path) -> None:
    assert set(re.findall(r"-ClassName (\S+)", path.read_text())) <= CIM_CLASSES


@pytest.mark.parametrize("path", [*UTILS, *MODULES], ids=name)
def test_types_are_on_the_list(path: Path) -> None:
    own = {
        f"{namespace}.{type_name}"
        for source in sources()
        for namespace in re.findall(r"^namespace ([\w.]+)$", source.read_text(), re.MULTILINE)
        for type_name in re.findall(r"^    public .*class (\w+)", source.read_text(), re.MULTILINE)
    }
    for literal in powershell.of_type(powershell.parse(path), "type_literal"):
        assert powershell.text(literal)[1:-1] in TYPES | own, f"line {powershell.line(literal)}"


def test_the_one_command_needs_no_module_and_compiles_nothing() -> None:
    root = powershell.parse(ONE_COMMAND)
    types = {powershell.text(literal)[1:-1] for literal in powershell.of_type(root, "type_literal")}
    assert types <= ONE_COMMAND_TYPES
    own = {powershell.text(name) for name in powershell.of_type(root, "function_name")}
    assert {call.command for call in powershell.calls(root)} - own == {"ConvertTo-Json", "Get-ImdsDeviceRow"}


@pytest.mark.parametrize("path", [*UTILS, *MODULES, ONE_COMMAND], ids=name)
def test_no_syntax_is_newer_than_5_1(path: Path) -> None:
    tokens = [node for node in powershell.walk(powershell.parse(path)) if not node.children and node.type != "comment"]
    assert not [powershell.line(node) for node in tokens if powershell.text(node) in NEWER_THAN_5_1]


@pytest.mark.parametrize("path", [*UTILS, *MODULES], ids=name)
def test_nothing_is_compared_or_matched(path: Path) -> None:
    """What decides is C#; and no message is ever looked into, because they come in the system's language."""
    assert not list(powershell.of_type(powershell.parse(path), "comparison_operator", "regex_operator"))
    assert not re.search(r"-(c|i)?(not)?(match|like)\b|Exception", path.read_text())


@pytest.mark.parametrize("path", [*UTILS, *MODULES], ids=name)
def test_strict_mode_comes_first(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[:2] == ["Set-StrictMode -Version 2.0", "$ErrorActionPreference = 'Stop'"]


@pytest.mark.parametrize("path", [*UTILS, *MODULES, ONE_COMMAND], ids=name)
def test_it_is_laid_out_as_pslint_wants_it(path: Path) -> None:
    """pslint itself needs a PowerShell."""
    lines = path.read_text().splitlines()
    assert max(map(len, lines)) <= 160
    assert not [line for line in lines if re.search(r"\} *(else|elseif|catch|finally)\b|[ \t;]$|\t", line)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_only_wires(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("#!powershell\n")
    assert len(text[text.index("AnsibleModule]::Create(") :].splitlines()) <= LONGEST_WIRING


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_culture_is_set_before_the_options_are_read(path: Path) -> None:
    text = path.read_text()
    assert 0 < text.index("\nUse-ImdsInvariantCulture\n") < text.index("AnsibleModule]::Create(")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_module_object_comes_before_any_type_of_ours(path: Path) -> None:
    """validate-modules runs a module up to there, with nothing of ours compiled."""
    text = path.read_text()
    assert 0 < text.index("AnsibleModule]::Create(") < text.index("[ansible_collections.")


# --- the route fix: what C# calls for and Python reads, against what PowerShell does ---------------------------------

ROUTES = (ROOT / "plugins" / "module_utils" / "_ImdsRoutes.psm1").read_text()
DECIDES = "".join(source.read_text() for source in sources() if source.stem.startswith("_ImdsRoute"))
BRANCHES = dict(re.findall(r"^        '([\w-]+)' \{\n(.*?)^        \}$", ROUTES, re.MULTILINE | re.DOTALL))


def test_each_call_has_a_branch() -> None:
    called = set(re.findall(r'new Call\(\s*"([\w-]+)"', DECIDES)) | set(
        re.findall(r'"((?:Remove|Set)-NetRoute)"', DECIDES)
    )
    assert set(BRANCHES) == called


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_runs_what_it_is_named_after(branch: str) -> None:
    run = set(re.findall(r"\b(?:Get|Find|New|Remove|Set)-\w+\b", BRANCHES[branch]))
    if branch.startswith("Win32_"):
        assert f"Get-CimInstance -ClassName {branch} " in BRANCHES[branch]
        run -= {"Get-CimInstance"}
    assert run == ({branch} if "-" in branch else set())


def test_parameters_are_handed_on_under_their_own_names() -> None:
    """In strict mode one that was not given is an error."""
    handed = re.findall(r"(\w+)(?: = | )\$with\.(\w+)", ROUTES)
    assert {(to, name) for to, name in handed if to not in ("if", name)} == set()
    read = set(re.findall(r"\$with\.(\w+)", ROUTES))
    assert read <= set(re.findall(r'\{ "([A-Z]\w+)", ', DECIDES))


def test_each_store_is_named() -> None:
    """Without it a Get- mixes the stores, and what the changing ones take for granted is written down nowhere."""
    for branch in ("Get-NetRoute", "Get-NetIPAddress", "Remove-NetRoute", "Set-NetRoute"):
        assert f"{branch} " in BRANCHES[branch]
        assert all(
            "-PolicyStore $with.PolicyStore" in line for line in BRANCHES[branch].splitlines() if f"{branch} " in line
        )
    new = [line for line in BRANCHES["New-NetRoute"].splitlines() if "New-NetRoute @key" in line]
    assert ["-PolicyStore $with.PolicyStore" in line for line in new] == [True, False]


def test_a_cluster_hides_its_adapter() -> None:
    assert "Get-NetAdapter -IncludeHidden" in BRANCHES["Get-NetAdapter"]


def test_all_properties_that_are_read_are_collected() -> None:
    reader = (ROOT / "plugins" / "plugin_utils" / "_route_plan" / "windows_report.py").read_text()
    read = set(re.findall(r'\.get\("([A-Z]\w+)"\)', reader)) | {"InterfaceDescription", "ComponentID", "PnPDeviceID"}
    read |= set(re.findall(r'Given\.\w+\(\w+, "([A-Z]\w+)"\)', DECIDES))
    collected = set(re.findall(r"'(\w+)'", "".join(BRANCHES.values()))) | {"Name"}
    assert read <= collected


# --- argument specs and documentation -------------------------------------------------------------------------------


def test_every_module_has_its_twin() -> None:
    assert {path.stem for path in MODULES} == set(TWINS)


def spec(path: Path) -> dict[str, Any]:
    return powershell.argument_spec(path, UTILS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_argument_spec_is_that_of_the_twin(path: Path) -> None:
    assert spec(path) == {"options": argument_spec(TWINS[path.stem]), "supports_check_mode": True}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_documentation_is_that_of_the_twin(path: Path) -> None:
    """The options of its own are the same, and the others come from the same fragments."""
    sidecar = yaml.safe_load(path.with_suffix(".yml").read_text())
    ours, theirs = sidecar["DOCUMENTATION"], yaml.safe_load(TWINS[path.stem].DOCUMENTATION)
    # A task that names the twin itself runs it as a module.
    shared = [one for one in theirs["extends_documentation_fragment"] if not one.endswith("._attributes.one_command")]
    assert ours["extends_documentation_fragment"] == shared
    assert {key: {**value, "description": None} for key, value in ours.get("options", {}).items()} == {
        key: {**value, "description": None} for key, value in theirs.get("options", {}).items()
    }
    returned = yaml.safe_load(TWINS[path.stem].RETURN)
    if path.stem in HOST_PARTS:
        assert set(sidecar["RETURN"]) == HOST_PARTS[path.stem]
        return
    assert set(sidecar["RETURN"]) == set(returned)
    if "ansible_facts" not in returned:
        assert sidecar["RETURN"] == returned


@pytest.mark.parametrize(
    ("spec_text", "expected"),
    [
        ("@{ options = @{ a = @{ type = 'str' } } }", {"options": {"a": {"type": "str"}}}),
        ("@{ a = @(1, 2.5, 'it''s'); b = @(); c = @('x') }", {"a": [1, 2.5, "it's"], "b": [], "c": ["x"]}),
        ("@{ a = $true; b = $null; 'c' = ($false) }", {"a": True, "b": None, "c": False}),
        ("@{ a = -1 }", None),
        ('@{ a = "$x" }', None),
        ("@{ a = 1 + 2 }", None),
        ("@{ a = Get-Date }", None),
        ("@{ a = [int]'1' }", None),
        ("@{ a = $unknown }", None),
    ],
)
def test_only_literals_make_an_argument_spec(tmp_path: Path, spec_text: str, expected: Any) -> None:
    module = tmp_path / "x.ps1"
    module.write_text(f"$spec = {spec_text}\n[Ansible.Basic.AnsibleModule]::Create($args, $spec)\n")
    if expected is None:
        with pytest.raises(powershell.NotReadableError):
            powershell.argument_spec(module, [])
    else:
        assert powershell.argument_spec(module, []) == expected


def test_calls_know_what_is_splatted(tmp_path: Path) -> None:
    script = tmp_path / "x.ps1"
    script.write_text("$key = @{ A = 1; B = $x }\n$key.C = 2\nOne @key -D 3\n$key = @{ E = 1 }\nTwo @key @other\n")
    assert powershell.calls(powershell.parse(script)) == [
        powershell.Call("One", ("-D", "-A", "-B", "-C"), 3),
        powershell.Call("Two", ("-E",), 5),
    ]


def stand_in(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, powershell.__file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_stand_in_answers_as_validate_modules_asks() -> None:
    utils = {f"{PACKAGE}.module_utils.{util.name}": str(util) for util in UTILS}
    manifest = {
        "module_path": str(MODULES[0]),
        "ansible_basic": "",
        "ps_utils": {**utils, "Ansible.AddType.psm1": "none"},
    }
    done = stand_in("/somewhere/ps_argspec.ps1", json.dumps(manifest))
    assert json.loads(done.stdout) == spec(MODULES[0])


@pytest.mark.parametrize("arguments", [(), ("-Version",), ("pslint.ps1", "a.ps1"), ("-Command", "1")])
def test_the_stand_in_does_nothing_else(arguments: tuple[str, ...]) -> None:
    done = stand_in(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "stand-in" in done.stderr
