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
        [Parameter(Mandatory = $true, ValueFromPipeline = $true)][object]$From,
        [string[]]$Text = @(),
        [string[]]$Number = @(),
        [string[]]$Flag = @()
    )

    process {
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
            Get-NetRoute -AddressFamily IPv4 -PolicyStore $with.PolicyStore -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text 'DestinationPrefix', 'NextHop', 'Protocol' -Number 'InterfaceIndex', 'RouteMetric'
        }
        'Get-NetIPAddress' {
            Get-NetIPAddress -AddressFamily IPv4 -PolicyStore $with.PolicyStore -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text 'IPAddress', 'PrefixOrigin', 'AddressState' -Number 'PrefixLength', 'InterfaceIndex' -Flag 'SkipAsSource'
        }
        'Get-NetIPInterface' {
            $text = 'InterfaceAlias', 'AddressFamily', 'Dhcp', 'ConnectionState'
            Get-NetIPInterface -AddressFamily IPv4 -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text $text -Number 'InterfaceIndex', 'InterfaceMetric'
        }
        'Get-NetAdapter' {
            $text = 'Name', 'InterfaceDescription', 'MacAddress', 'Status', 'ComponentID', 'PnPDeviceID', 'InterfaceType'
            Get-NetAdapter -IncludeHidden -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text $text -Number 'InterfaceIndex', 'ifIndex'
        }
        'Find-NetRoute' {
            $source = @{ RemoteIPAddress = '169.254.169.254' }
            if ($with.LocalIPAddress) { $source.LocalIPAddress = $with.LocalIPAddress }
            $text = 'IPAddress', 'DestinationPrefix', 'NextHop', 'Protocol'
            Find-NetRoute @source -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text $text -Number 'InterfaceIndex', 'RouteMetric' -Flag 'SkipAsSource'
        }
        'New-NetRoute' {
            $key = @{ DestinationPrefix = $with.DestinationPrefix; InterfaceIndex = $with.InterfaceIndex; NextHop = $with.NextHop }
            if ($with.PolicyStore) {
                $null = New-NetRoute @key -RouteMetric $with.RouteMetric -PolicyStore $with.PolicyStore -Confirm:$false -ErrorAction Stop
            }
            else {
                # Both stores. It refuses the persistent one alone.
                $null = New-NetRoute @key -RouteMetric $with.RouteMetric -Confirm:$false -ErrorAction Stop
            }
        }
        'Remove-NetRoute' {
            $key = @{ DestinationPrefix = $with.DestinationPrefix; InterfaceIndex = $with.InterfaceIndex; NextHop = $with.NextHop }
            $null = Remove-NetRoute @key -PolicyStore $with.PolicyStore -Confirm:$false -ErrorAction Stop
        }
        'Set-NetRoute' {
            $key = @{ DestinationPrefix = $with.DestinationPrefix; InterfaceIndex = $with.InterfaceIndex; NextHop = $with.NextHop }
            $null = Set-NetRoute @key -PolicyStore $with.PolicyStore -RouteMetric $with.RouteMetric -Confirm:$false -ErrorAction Stop
        }
        'Set-NetIPAddress' {
            $key = @{ IPAddress = $with.IPAddress; InterfaceIndex = $with.InterfaceIndex }
            $null = Set-NetIPAddress @key -SkipAsSource $with.SkipAsSource -Confirm:$false -ErrorAction Stop
        }
        'Get-Service' {
            Get-Service -Name ClusSvc -ErrorAction Stop | Add-ImdsRow -Call $Call -Text 'Status'
        }
        'Win32_SystemEnclosure' {
            Get-CimInstance -ClassName Win32_SystemEnclosure -ErrorAction Stop | Add-ImdsRow -Call $Call -Text 'SMBIOSAssetTag'
        }
        'Win32_OperatingSystem' {
            Get-CimInstance -ClassName Win32_OperatingSystem -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text 'Caption', 'Version', 'BuildNumber'
        }
        'Win32_IP4PersistedRouteTable' {
            Get-CimInstance -ClassName Win32_IP4PersistedRouteTable -ErrorAction Stop |
                Add-ImdsRow -Call $Call -Text 'Destination', 'Mask', 'NextHop', 'Metric1'
        }
        'PersistentRoutes' {
            $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\PersistentRoutes')
            if ($key) {
                foreach ($name in $key.GetValueNames()) {
                    $Call.Add(@{ Name = [string]$name })
                }
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
