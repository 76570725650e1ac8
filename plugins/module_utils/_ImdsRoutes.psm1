# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs the cmdlets that the route fix calls for. What is called, and what follows from the answer, is decided in
# _ImdsRoute*.cs.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

Function Add-ImdsRow {
    <#
    .SYNOPSIS
    An object's properties as a plain dictionary. Windows' versions differ in what an object has: what it lacks is left
    out.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory = $true)][object]$Call,
        [Parameter(Mandatory = $true)][object]$From,
        [string[]]$Text = @(),
        [string[]]$Number = @(),
        [string[]]$Flag = @()
    )

    $row = @{}
    foreach ($name in $Text) {
        if ($From.PSObject.Properties[$name]) { $row[$name] = [string]$From.$name }
    }
    foreach ($name in $Number) {
        if ($From.PSObject.Properties[$name]) { $row[$name] = [long]$From.$name }
    }
    foreach ($name in $Flag) {
        if ($From.PSObject.Properties[$name]) { $row[$name] = [bool]$From.$name }
    }
    $Call.Add($row)
}

Function Invoke-ImdsRouteCall {
    <#
    .SYNOPSIS
    Run one call and hand over what it returns. An error ends it.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory = $true)][object]$Call
    )

    $with = $Call.Parameters
    switch ($Call.Name) {
        'Get-NetRoute' {
            foreach ($found in @(Get-NetRoute -AddressFamily IPv4 -PolicyStore $with.PolicyStore -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'DestinationPrefix', 'NextHop', 'Protocol' -Number 'InterfaceIndex', 'RouteMetric'
            }
        }
        'Get-NetIPAddress' {
            foreach ($found in @(Get-NetIPAddress -AddressFamily IPv4 -PolicyStore $with.PolicyStore -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'IPAddress', 'PrefixOrigin', 'AddressState' -Number 'PrefixLength', 'InterfaceIndex' -Flag 'SkipAsSource'
            }
        }
        'Get-NetIPInterface' {
            foreach ($found in @(Get-NetIPInterface -AddressFamily IPv4 -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'InterfaceAlias', 'AddressFamily', 'Dhcp', 'ConnectionState' -Number 'InterfaceIndex', 'InterfaceMetric'
            }
        }
        'Get-NetAdapter' {
            foreach ($found in @(Get-NetAdapter -IncludeHidden -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'Name', 'InterfaceDescription', 'MacAddress', 'Status', 'ComponentID', 'PnPDeviceID', 'InterfaceType' -Number 'InterfaceIndex', 'ifIndex'
            }
        }
        'Find-NetRoute' {
            $rows = @(
                if ($with.LocalIPAddress) {
                    Find-NetRoute -RemoteIPAddress '169.254.169.254' -LocalIPAddress $with.LocalIPAddress -ErrorAction Stop
                } else {
                    Find-NetRoute -RemoteIPAddress '169.254.169.254' -ErrorAction Stop
                }
            )
            foreach ($found in $rows) {
                Add-ImdsRow -Call $Call -From $found -Text 'IPAddress', 'DestinationPrefix', 'NextHop', 'Protocol' -Number 'InterfaceIndex', 'RouteMetric' -Flag 'SkipAsSource'
            }
        }
        'New-NetRoute' {
            # Without a store it writes both. It refuses the persistent one alone.
            $null = if ($with.PolicyStore) {
                New-NetRoute -DestinationPrefix $with.DestinationPrefix -InterfaceIndex $with.InterfaceIndex -NextHop $with.NextHop -RouteMetric $with.RouteMetric -PolicyStore $with.PolicyStore -Confirm:$false -ErrorAction Stop
            } else {
                New-NetRoute -DestinationPrefix $with.DestinationPrefix -InterfaceIndex $with.InterfaceIndex -NextHop $with.NextHop -RouteMetric $with.RouteMetric -Confirm:$false -ErrorAction Stop
            }
        }
        'Remove-NetRoute' {
            $null = Remove-NetRoute -DestinationPrefix $with.DestinationPrefix -InterfaceIndex $with.InterfaceIndex -NextHop $with.NextHop -PolicyStore $with.PolicyStore -Confirm:$false -ErrorAction Stop
        }
        'Set-NetRoute' {
            $null = Set-NetRoute -DestinationPrefix $with.DestinationPrefix -InterfaceIndex $with.InterfaceIndex -NextHop $with.NextHop -PolicyStore $with.PolicyStore -RouteMetric $with.RouteMetric -Confirm:$false -ErrorAction Stop
        }
        'Set-NetIPAddress' {
            $null = Set-NetIPAddress -IPAddress $with.IPAddress -InterfaceIndex $with.InterfaceIndex -SkipAsSource $with.SkipAsSource -Confirm:$false -ErrorAction Stop
        }
        'Get-Service' {
            foreach ($found in @(Get-Service -Name ClusSvc -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'Status'
            }
        }
        'Win32_SystemEnclosure' {
            foreach ($found in @(Get-CimInstance -ClassName Win32_SystemEnclosure -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'SMBIOSAssetTag'
            }
        }
        'Win32_OperatingSystem' {
            foreach ($found in @(Get-CimInstance -ClassName Win32_OperatingSystem -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'Caption', 'Version', 'BuildNumber'
            }
        }
        'Win32_IP4PersistedRouteTable' {
            foreach ($found in @(Get-CimInstance -ClassName Win32_IP4PersistedRouteTable -ErrorAction Stop)) {
                Add-ImdsRow -Call $Call -From $found -Text 'Destination', 'Mask', 'NextHop', 'Metric1'
            }
        }
        'PersistentRoutes' {
            $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\PersistentRoutes')
            if ($key) {
                foreach ($name in $key.GetValueNames()) { $Call.Add(@{ Name = [string]$name }) }
                $key.Close()
            }
        }
        'IsElevated' {
            $user = [System.Security.Principal.WindowsPrincipal][System.Security.Principal.WindowsIdentity]::GetCurrent()
            $Call.Add(@{ Elevated = [bool]$user.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator) })
        }
    }
}

Export-ModuleMember -Function 'Invoke-ImdsRouteCall'
