#!powershell

# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ..module_utils._ImdsTokenModule
#AnsibleRequires -PowerShell ..module_utils._ImdsSpec
#AnsibleRequires -PowerShell ..module_utils._ImdsOutcome

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        # <generated options: make generate>
        resource = @{ type = 'str'; required = $true; aliases = @('audience') }
        content = @{ type = 'str'; choices = @('token', 'json', 'header'); default = 'token' }
        minimum_validity = @{ type = 'str'; default = 'auto' }
        return_token = @{ type = 'bool'; default = $false; no_log = $false }
        return_claims = @{ type = 'bool'; default = $false }
        # </generated>
    }
    supports_check_mode = $true
}
Use-ImdsInvariantCulture
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec, @(Get-ImdsIdentitySpec))

$token = [ansible_collections.imds.azure.plugins.module_utils._ImdsTokenModule.TokenModule]
$outcome = $token::Run($module.Params, $module.CheckMode, $module.DiffMode)

Complete-ImdsModule -Module $module -Outcome $outcome
