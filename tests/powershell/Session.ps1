# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs the collection's .ps1 modules in one process, so that PowerShell starts and C# is compiled once for many runs.
#
# Each line of the input is a JSON object: module, the path of a .ps1 file; arguments, the path of a file with its
# arguments, as Ansible writes it; culture, of the thread that runs it. Each line of the output is what the module
# returned, or {"exception": text}.

param (
    # JSON: csharp, the texts to compile together; powershell, the paths of the modules to import.
    [Parameter(Mandatory = $true)][string]$Manifest
)

$ErrorActionPreference = 'Stop'
$utils = Get-Content -Raw -LiteralPath $Manifest | ConvertFrom-Json
Import-Module -Name $utils.add_type
Add-CSharpType -References ([string[]]@($utils.csharp | ForEach-Object { Get-Content -Raw -LiteralPath $_ }))
$utils.powershell | Import-Module -DisableNameChecking

# Ansible.Basic ends the process with these; here they note the result and end the script.
$script:said = ''
[Ansible.Basic.AnsibleModule]::WriteLine = { param ([string]$Line) $script:said = $Line }
[Ansible.Basic.AnsibleModule]::Exit = { param ([int]$ReturnCode) throw 'the module has ended' }

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $run = $line | ConvertFrom-Json
    $script:said = ''
    [Threading.Thread]::CurrentThread.CurrentCulture = [Globalization.CultureInfo]::GetCultureInfo($run.culture)
    try {
        $null = & ([scriptblock]::Create((Get-Content -Raw -LiteralPath $run.module))) $run.arguments
    }
    catch {
        if (-not $script:said) {
            $script:said = @{ exception = "$_ $($_.ScriptStackTrace)" } | ConvertTo-Json -Compress
        }
    }
    [Console]::Out.WriteLine($script:said)
}
