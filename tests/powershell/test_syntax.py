# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""PowerShell's own parser takes every file, and the stand-in cmdlets are like the cmdlets that they stand in for."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from ansible_collections.imds.azure.tests.powershell.powershell_site import CMDLETS
from ansible_collections.imds.azure.tests.powershell.session import SCRIPT
from ansible_collections.imds.azure.tests.powershell.shell import PLUGINS, pwsh
from ansible_collections.imds.azure.tests.windows import cmdlets

PARSE = """
$found = foreach ($path in $env:FILES -split ':') {
    $errors = $null
    $null = [System.Management.Automation.Language.Parser]::ParseFile($path, [ref]$null, [ref]$errors)
    @{ path = $path; errors = @($errors | ForEach-Object { "$_" }) }
}
ConvertTo-Json -Compress -Depth 3 -InputObject @($found)
"""

STAND_INS = """
$found = @{}
foreach ($command in (Import-Module NetworkingStandIn -PassThru).ExportedFunctions.Values) {
    $found[$command.Name] = @($command.Parameters.Keys)
}
ConvertTo-Json -Compress -Depth 3 -InputObject $found
"""

CONFIRM = """
$found = @{}
$key = @{ DestinationPrefix = '192.0.2.1/32'; InterfaceIndex = 1; NextHop = '0.0.0.0' }
foreach ($change in @(
    { New-NetRoute @key }
    { Remove-NetRoute @key -PolicyStore ActiveStore }
    { Set-NetRoute @key -PolicyStore ActiveStore -RouteMetric 1 }
    { Set-NetIPAddress -IPAddress 192.0.2.1 -InterfaceIndex 1 -SkipAsSource $true }
)) {
    try { & $change; $found["$change"] = 'done' } catch { $found["$change"] = $_.FullyQualifiedErrorId }
}
ConvertTo-Json -Compress -InputObject $found
"""


def run(script: str, **environment: str) -> Any:
    done = subprocess.run(
        [pwsh(), "-NoProfile", "-NonInteractive", "-Command", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_file_is_parsed() -> None:
    files = [path for pattern in ("*.ps1", "*.psm1") for path in PLUGINS.rglob(pattern)]
    files += [SCRIPT, *CMDLETS.rglob("*.psm1")]
    assert len(files) >= 9
    found = run(PARSE, FILES=":".join(map(str, files)))
    assert [one["path"] for one in found] == [str(path) for path in files]
    assert [one for one in found if one["errors"]] == []


def test_stand_ins_have_no_parameter_that_the_cmdlets_lack() -> None:
    """And there is one for each cmdlet of Windows that is called."""
    found = run(STAND_INS, PSModulePath=str(CMDLETS))
    assert set(found) == {
        name for name in cmdlets.CMDLETS if name.partition("-")[2].startswith(("Net", "Cim", "Service"))
    }
    common = {
        *("Verbose", "Debug", "ErrorAction", "WarningAction", "InformationAction", "ProgressAction", "ErrorVariable"),
        *("WarningVariable", "InformationVariable", "OutVariable", "OutBuffer", "PipelineVariable"),
    }
    for name, parameters in found.items():
        assert {f"-{parameter}" for parameter in parameters if parameter not in common} <= cmdlets.CMDLETS[name], name


def test_a_change_that_asks_for_confirmation_is_an_error() -> None:
    found = run(CONFIRM, PSModulePath=str(CMDLETS))
    assert len(found) == len(cmdlets.CHANGING)
    assert "done" not in found.values()
