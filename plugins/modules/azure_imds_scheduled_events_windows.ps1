#!powershell

# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ..module_utils._ImdsEventsModule
#AnsibleRequires -PowerShell ..module_utils._ImdsSpec
#AnsibleRequires -PowerShell ..module_utils._ImdsOutcome

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        # <generated options: make generate>
        timeout = @{ type = 'float'; default = 300.0 }
        state = @{ type = 'str'; choices = @('approved', 'appeared', 'gone'); required = $true }
        others = @{ type = 'str'; choices = @('refuse', 'allow'); default = 'refuse' }
        fail_on_timeout = @{ type = 'bool' }
        poll = @{ type = 'float'; default = 5.0 }
        # </generated>
    }
    supports_check_mode = $true
}
Use-ImdsInvariantCulture
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec, @((Get-ImdsEventsSpec), (Get-ImdsArgumentSpec)))

$outcome = [ansible_collections.imds.azure.plugins.module_utils._ImdsEventsModule.EventsModule]::Run(
    $module.Params, $module.CheckMode)

Complete-ImdsModule -Module $module -Outcome $outcome
