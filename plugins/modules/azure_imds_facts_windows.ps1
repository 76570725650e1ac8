#!powershell

# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ..module_utils._ImdsFactsModule
#AnsibleRequires -PowerShell ..module_utils._ImdsDevices
#AnsibleRequires -PowerShell ..module_utils._ImdsSpec
#AnsibleRequires -PowerShell ..module_utils._ImdsOutcome

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        # <generated options: make generate>
        required = @{ type = 'bool'; default = $false }
        # </generated>
    }
    supports_check_mode = $true
}
Use-ImdsInvariantCulture
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec, @((Get-ImdsArgumentSpec), (Get-ImdsFactsSpec)))

$devices = [System.Func[string]] { Get-ImdsDeviceRow }
$outcome = [ansible_collections.imds.azure.plugins.module_utils._ImdsFactsModule.FactsModule]::Run($module.Params, $devices)

Complete-ImdsModule -Module $module -Outcome $outcome
