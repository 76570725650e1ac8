# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which file a task runs on Windows, and which utilities Ansible sends with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.windows.core import sources

ROOT = Path(__file__).resolve().parents[2]
TREE = ROOT.parents[2]
PACKAGE = "ansible_collections.imds.azure.plugins"
PLUGINS = ROOT / "plugins"
TWINS = sorted(path.stem for path in (PLUGINS / "modules").glob("*.ps1"))

# What asks IMDS for anything, whatever it asks for.
ASK = {"Client", "Guest", "Json", "Options", "Platform", "Reasons", "Retry", "Text", "Transport", "Versions"}
# What gets tokens, besides.
IDENTITY = {"Arc", "Disk", "Hidden", "PrivateFile", "Resources", "TokenClient", "TokenErrors", "TokenRequest", "Tokens"}
VAULT = {"Https", "Vault", "VaultClient"}
# Each is compiled on the host, on every run.
CSHARP = {
    "azure_imds_attest_windows": ASK | {"AttestModule"},
    "azure_imds_facts_windows": ASK | {"Devices", "Facts", "FactsModule", "Fields"},
    "azure_imds_info_windows": ASK | {"InfoModule", "Paths"},
    "azure_imds_scheduled_events_info_windows": ASK | {"Events", "EventService", "EventsInfoModule"},
    "azure_imds_scheduled_events_windows": ASK | {"Events", "EventService", "EventsModule", "EventsReach"},
    "azure_imds_keyvault_secret_windows": ASK | IDENTITY | VAULT | {"SecretModule"},
    "azure_imds_route_fix_windows": {
        *("Guest", "Json", "Options", "Platform", "Reasons", "Retry", "Text", "Transport"),
        *("RouteAgent", "RouteApply", "RouteAsking", "RouteCall", "RouteCandidates", "RouteJournal"),
        *("RouteOperations", "RouteProbe", "RouteReply", "RouteReport", "RouteTables", "RouteTarget"),
    },
    "azure_imds_token_windows": ASK | IDENTITY | {"TokenModule"},
}
POWERSHELL = {
    "azure_imds_attest_windows": {"Outcome", "Spec"},
    "azure_imds_facts_windows": {"Devices", "Outcome", "Spec"},
    "azure_imds_info_windows": {"Outcome", "Spec"},
    "azure_imds_scheduled_events_info_windows": {"Outcome", "Spec"},
    "azure_imds_scheduled_events_windows": {"Outcome", "Spec"},
    "azure_imds_keyvault_secret_windows": {"Outcome", "Spec"},
    "azure_imds_route_fix_windows": {"Outcome", "Routes", "Spec"},
    "azure_imds_token_windows": {"Outcome", "Spec"},
}
# The modules that ask for one document. Each file costs the host time, and with more than 14 besides Ansible.Basic,
# PowerShell also compiles the loops of Ansible's Add-CSharpType.
MOST_FILES = {"azure_imds_attest_windows": 14, "azure_imds_facts_windows": 14, "azure_imds_info_windows": 14}

# Ansible's loader changes how Python imports collections, so it has a process of its own.
LOADER = """
import json, sys
from ansible.executor.powershell.module_manifest import PSModuleDepFinder
from ansible.plugins.loader import init_plugin_loader, module_loader
init_plugin_loader([sys.argv[1]])
found = module_loader.find_plugin_with_context(sys.argv[2], mod_type=sys.argv[3])
scan = PSModuleDepFinder().scan_module
path = found.plugin_resolved_path
needs = scan(open(path, "rb").read(), fqn=sys.argv[4]) if path.endswith(".ps1") else ()
print(json.dumps({"path": path, "needs": sorted(needs)}))
"""


def loaded(task: str, extension: str, fqn: str = "") -> Any:
    """path: the file that a task of this name runs; needs: the utilities that are sent with it."""
    command = [sys.executable, "-c", LOADER, str(TREE), f"imds.azure.{task}", extension, fqn]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("twin", TWINS)
def test_a_module_sends_these_files(twin: str) -> None:
    needs = set(loaded(twin, ".ps1", f"{PACKAGE}.modules.{twin}")["needs"])
    ours = {need for need in needs if need.startswith("ansible_collections.")}
    assert ours == {
        *(f"{PACKAGE}.module_utils._Imds{name}.cs" for name in CSHARP[twin]),
        *(f"{PACKAGE}.module_utils._Imds{name}.psm1" for name in POWERSHELL[twin]),
    }
    assert "Ansible.Basic.cs" in needs
    assert len(CSHARP[twin]) <= MOST_FILES.get(twin, len(CSHARP[twin]))


def test_no_file_is_sent_by_nobody() -> None:
    sent = {f"_Imds{name}" for names in CSHARP.values() for name in names}
    assert sent == {source.stem for source in sources()}


def test_utilities_lie_where_signing_for_app_control_looks() -> None:
    """The script that signs a collection hashes module_utils/*.cs, module_utils/*.psm1 and modules/*.ps1, not below."""
    signed = {
        *(PLUGINS / "module_utils").glob("*.cs"),
        *(PLUGINS / "module_utils").glob("*.psm1"),
        *(PLUGINS / "modules").glob("*.ps1"),
    }
    there = {path for suffix in ("cs", "psm1", "ps1") for path in PLUGINS.rglob(f"*.{suffix}")}
    # The script of the one command declines to run where signatures count.
    assert {path for path in there if path.parent.name != "plugin_utils"} == signed


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_ansible_finds_a_csharp_utility_by_its_namespace(path: Path) -> None:
    namespaces = re.findall(r"^namespace ([\w.]+)$", path.read_text(), re.MULTILINE)
    assert namespaces == [f"{PACKAGE}.module_utils.{path.stem}"]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("extension", [".ps1", ""], ids=["Windows", "POSIX"])
def test_the_connection_decides_which_twin_runs(twin: str, extension: str) -> None:
    task = twin[: -len("_windows")]
    fqn = f"{PACKAGE}.modules.{twin}"
    assert Path(loaded(task, extension, fqn)["path"]).name == (f"{twin}.ps1" if extension else f"{task}.py")
