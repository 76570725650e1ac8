# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""make generate: python -m ansible_collections.imds.azure.tests.tools.generate [--check] DIRECTORY

Rewrites the generated regions of the collection in DIRECTORY; --check only says which would change.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import ModuleType

from ansible_collections.imds.azure.plugins.module_utils import _attest, _module, _scheduled_events, _token_module
from ansible_collections.imds.azure.plugins.module_utils._identity import errors
from ansible_collections.imds.azure.plugins.module_utils._imds import retry
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

from . import (
    conditions,
    csharp,
    documentation,
    facts,
    faults,
    fuzzing,
    pages,
    powershell_spec,
    scaling,
)
from .regions import Maker, rewrite

_SHARED = _module.argument_spec()
_FACTS = _module.facts_spec()
_EVENTS = {name: option for name, option in _scheduled_events.argument_spec().items() if option != _SHARED.get(name)}
_ATTEST = {name: option for name, option in _attest.argument_spec().items() if name not in _SHARED}
_IDENTITY = _token_module.argument_spec()


def _own_options(module: object) -> list[str]:
    """Those that no shared spec has, or has otherwise."""
    spec = argument_spec(module)  # type: ignore[arg-type]
    shared = [option for part in (_SHARED, _FACTS, _ATTEST, _EVENTS, _IDENTITY) for option in part.items()]
    return powershell_spec.entries({name: option for name, option in spec.items() if (name, option) not in shared})


_UTILS, _MODULES, _GUIDES = "plugins/module_utils", "plugins/modules", "docs/docsite/rst"


def _twin(module: ModuleType) -> Mapping[str, Mapping[str, Maker]]:
    """Suffix of a file of the Windows twin -> its regions."""
    name = module.__name__.rpartition(".")[2]
    return {
        "ps1": {"options": partial(_own_options, module)},
        "yml": {
            "options": partial(documentation.options_of, name),
            "return": partial(documentation.returned_by, name),
        },
    }


# File -> its regions, and what makes each.
FILES: Mapping[str, Mapping[str, Maker]] = {
    f"{_UTILS}/_ImdsDevices.cs": {
        "adapters": csharp.adapters,
        "disk_names": csharp.disk_names,
        "disk_messages": csharp.disk_messages,
    },
    f"{_UTILS}/_ImdsEvents.cs": {"terms": csharp.event_terms},
    f"{_UTILS}/_ImdsFields.cs": {
        "fields": csharp.field_table,
        "guest": csharp.guest,
        "containers": csharp.containers,
        "typed_keys": csharp.typed_keys,
        "clouds": csharp.clouds,
    },
    f"{_UTILS}/_ImdsPaths.cs": {"leaves": csharp.leaves},
    f"{_UTILS}/_ImdsReasons.cs": {"reasons": csharp.reason_table},
    f"{_UTILS}/_ImdsRetry.cs": {"rules": partial(csharp.rules, "Rules", retry.RULES), "statuses": csharp.statuses},
    f"{_UTILS}/_ImdsResources.cs": {"resources": csharp.resource_names},
    f"{_UTILS}/_ImdsTokenErrors.cs": {"token_rules": partial(csharp.rules, "TokenRules", errors.RULES)},
    f"{_UTILS}/_ImdsRouteCandidates.cs": {"marks": csharp.interface_marks},
    f"{_UTILS}/_ImdsVault.cs": {"vault": csharp.vault_tables},
    f"{_UTILS}/_ImdsVersions.cs": {"versions": csharp.version_tables},
    f"{_UTILS}/_ImdsSpec.psm1": {
        "imds": partial(powershell_spec.entries, _SHARED),
        "facts": partial(powershell_spec.entries, _FACTS),
        "attest": partial(powershell_spec.entries, _ATTEST),
        "events": partial(powershell_spec.entries, _EVENTS),
        "identity": partial(powershell_spec.entries, _IDENTITY),
    },
    f"{_MODULES}/azure_imds_facts.py": {"facts": facts.returned},
    f"{_MODULES}/azure_imds_attest_windows.ps1": {"options": partial(_own_options, azure_imds_attest)},
    f"{_MODULES}/azure_imds_facts_windows.ps1": {"options": partial(_own_options, azure_imds_facts)},
    f"{_MODULES}/azure_imds_facts_windows.yml": {"options": partial(documentation.options_of, "azure_imds_facts")},
    f"{_MODULES}/azure_imds_info_windows.ps1": {"options": partial(_own_options, azure_imds_info)},
    f"{_MODULES}/azure_imds_info_windows.yml": {
        "options": partial(documentation.options_of, "azure_imds_info"),
        "return": partial(documentation.returned_by, "azure_imds_info"),
    },
    f"{_MODULES}/azure_imds_route_fix_windows.ps1": {"options": partial(_own_options, azure_imds_route_fix)},
    **{
        f"{_MODULES}/{module.__name__.rpartition('.')[2]}_windows.{kind}": makers
        for module in (
            azure_imds_keyvault_secret,
            azure_imds_scheduled_events,
            azure_imds_scheduled_events_info,
            azure_imds_token,
        )
        for kind, makers in _twin(module).items()
    },
    "tests/integration/targets/documented_conditions/tasks/conditions.yml": {"conditions": conditions.tasks},
    f"{_GUIDES}/facts.rst": {"facts": pages.fact_table, "clouds": pages.cloud_table},
    f"{_GUIDES}/faults.rst": {
        "metadata": partial(faults.matrix, "facts", "info", "attest"),
        "events": partial(faults.matrix, "events", "approve"),
        "identity": partial(faults.matrix, "token", "secret"),
        "route": partial(faults.matrix, "route query"),
    },
    f"{_GUIDES}/fuzzing.rst": {"counts": fuzzing.counts},
    f"{_GUIDES}/scaling.rst": {
        "ratios": scaling.ratios,
        "circumstances": scaling.circumstances,
        "costs": scaling.costs,
        "totals": scaling.totals,
        "main_profile": partial(scaling.profile, "main"),
        "fork_profile": partial(scaling.profile, "fork"),
        "recipe": scaling.recipe,
        "slices": scaling.slices,
    },
    f"{_GUIDES}/reasons.rst": {"reasons": pages.reason_table, "retries": pages.retry_table},
    f"{_GUIDES}/attestation.rst": {"reasons": pages.verdict_table, "roots": pages.root_table},
    f"{_GUIDES}/identity.rst": {"resources": pages.resource_table, "reasons": pages.vault_reason_table},
    f"{_GUIDES}/route_fix.rst": {"findings": pages.finding_table, "refusals": pages.refusal_table},
}


def main(arguments: list[str]) -> int:
    check = arguments[:1] == ["--check"]
    directory = Path(arguments[-1])
    stale = []
    for name, makers in FILES.items():
        file = directory / name
        text = file.read_text(encoding="utf-8")
        made = rewrite(text, makers)
        if made != text:
            stale.append(name)
            if not check:
                file.write_text(made, encoding="utf-8")
    for name in stale:
        print(f"{'not up to date' if check else 'written'}: {name}")
    if check and stale:
        print("Run make generate.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
