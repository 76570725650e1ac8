#!powershell

# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ..module_utils._ImdsSecretModule
#AnsibleRequires -PowerShell ..module_utils._ImdsSpec
#AnsibleRequires -PowerShell ..module_utils._ImdsOutcome

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        # <generated options: make generate>
        vault = @{ type = 'str'; required = $true }
        name = @{ type = 'str'; required = $true }
        version = @{ type = 'str' }
        resource = @{ type = 'str' }
        ca_path = @{ type = 'path' }
        encoding = @{ type = 'str'; choices = @('utf-8', 'base64'); default = 'utf-8' }
        return_secret = @{ type = 'bool'; default = $false; no_log = $false }
        # </generated>
    }
    supports_check_mode = $true
}
Use-ImdsInvariantCulture
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec, @(Get-ImdsIdentitySpec))

$secret = [ansible_collections.imds.azure.plugins.module_utils._ImdsSecretModule.SecretModule]
$outcome = $secret::Run($module.Params, $module.CheckMode)

Complete-ImdsModule -Module $module -Outcome $outcome
