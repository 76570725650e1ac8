# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# How the Windows modules end: what C# found goes to Ansible's module object.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

Function Complete-ImdsModule {
    <#
    .SYNOPSIS
    Hand over the warnings and the result of an outcome, and end the module, with its failure where there is one.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory = $true)][object]$Module,
        [Parameter(Mandatory = $true)][object]$Outcome
    )

    foreach ($warning in $Outcome.Warnings) {
        $Module.Warn($warning)
    }
    foreach ($name in $Outcome.Result.Keys) {
        $Module.Result[$name] = $Outcome.Result[$name]
    }
    if ($Outcome.Failure) {
        $Module.FailJson($Outcome.Failure)
    }
    $Module.ExitJson()
}

Export-ModuleMember -Function 'Complete-ImdsModule'
