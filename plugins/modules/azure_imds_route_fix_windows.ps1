#!powershell

# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

#Requires -Version 5.1
#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -CSharpUtil ..module_utils._ImdsRouteTarget
#AnsibleRequires -PowerShell ..module_utils._ImdsSpec
#AnsibleRequires -PowerShell ..module_utils._ImdsRoutes
#AnsibleRequires -PowerShell ..module_utils._ImdsOutcome

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        # <generated options: make generate>
        state = @{ type = 'str'; choices = @('query', 'present', 'absent'); default = 'present' }
        interface = @{ type = 'str' }
        mac_address = @{ type = 'str' }
        primary_ip = @{ type = 'str' }
        next_hop = @{ type = 'str'; default = 'auto' }
        persistent = @{ type = 'bool'; default = $true }
        persistence_backend = @{
            type = 'str'
            choices = @('auto', 'netplan', 'networkd', 'networkmanager', 'ifupdown', 'none')
            default = 'auto'
        }
        remove_conflicting = @{ type = 'bool' }
        fix_source = @{ type = 'bool'; default = $false }
        verify = @{ type = 'bool'; default = $true }
        verify_timeout = @{ type = 'float'; default = 5.0 }
        verify_retries = @{ type = 'int'; default = 2 }
        rollback = @{ type = 'bool'; default = $true }
        force = @{ type = 'bool'; default = $false }
        fail_on_findings = @{ type = 'bool'; default = $false }
        route_print = @{ type = 'str' }
        request = @{ type = 'dict' }
        # </generated>
    }
    supports_check_mode = $true
}
Use-ImdsInvariantCulture
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec, @(Get-ImdsArgumentSpec))

$task = [ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTarget.RouteTask]::Start($module.Params, $module.CheckMode)

try {
    while ($task.Next()) {
        $call = $task.Call
        try {
            Invoke-ImdsRouteCall -Call $call
        }
        catch {
            $call.Fail($_.FullyQualifiedErrorId, [string]$_.CategoryInfo.Category, [string]$_)
        }
    }
}
finally {
    $task.Dispose()
}

Complete-ImdsModule -Module $module -Outcome $task
