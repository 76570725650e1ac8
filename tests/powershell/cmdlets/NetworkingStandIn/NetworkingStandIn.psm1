# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Functions named like the cmdlets that the route fix calls, for the tests. Each hands its name and its parameters to
# the model of a Windows host that the test keeps, and returns what that answers: objects with the types that the real
# ones have, or an error record. The model listens on the socket that IMDS_MODEL names.

enum AddressFamily { IPv4 = 2; IPv6 = 23 }
enum AddressState { Invalid; Tentative; Duplicate; Deprecated; Preferred }
enum ConnectionState { Disconnected; Connected }
enum Dhcp { Disabled; Enabled }
enum Origin { Other; Manual; WellKnown; Dhcp; RouterAdvertisement }
enum Protocol { Other = 1; Local = 2; NetMgmt = 3; Icmp = 4; Dhcp = 16 }
enum ServiceStatus { Stopped = 1; Running = 4 }

$types = @{
    AddressFamily = [AddressFamily]
    AddressState = [AddressState]
    ConnectionState = [ConnectionState]
    Dhcp = [Dhcp]
    ifIndex = [uint32]
    InterfaceIndex = [uint32]
    InterfaceMetric = [uint32]
    PrefixLength = [byte]
    PrefixOrigin = [Origin]
    Protocol = [Protocol]
    RouteMetric = [uint16]
}

function Invoke-Model {
    param (
        [string]$Name,
        [System.Collections.IDictionary]$Parameters,
        [System.Management.Automation.PSCmdlet]$Caller
    )

    $socket = [System.Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
    try {
        $socket.Connect([System.Net.Sockets.UnixDomainSocketEndPoint]::new($env:IMDS_MODEL))
        $stream = [System.Net.Sockets.NetworkStream]::new($socket)
        $writer = [System.IO.StreamWriter]::new($stream)
        $writer.WriteLine((@{ name = $Name; parameters = $Parameters } | ConvertTo-Json -Compress))
        $writer.Flush()
        $answer = [System.IO.StreamReader]::new($stream).ReadLine() | ConvertFrom-Json
    }
    finally {
        $socket.Dispose()
    }
    if ($answer.PSObject.Properties['kill']) {
        [System.Diagnostics.Process]::GetCurrentProcess().Kill()
        Start-Sleep -Seconds 10
    }
    if ($answer.PSObject.Properties['error']) {
        # The error record gets the name of the function on top, as those of the real cmdlets do.
        $id = ($answer.error.id -split ',')[0]
        $reason = [System.Exception]::new($answer.error.message)
        $Caller.WriteError([System.Management.Automation.ErrorRecord]::new($reason, $id, $answer.error.category, $null))
        return
    }
    foreach ($row in $answer.rows) {
        $made = [ordered]@{}
        foreach ($property in $row.PSObject.Properties) {
            $type = $types[$property.Name]
            $made[$property.Name] = if ($type) { $property.Value -as $type } else { $property.Value }
        }
        [pscustomobject]$made
    }
}

function Get-NetRoute {
    [CmdletBinding()]
    param ([string[]]$DestinationPrefix, [uint32[]]$InterfaceIndex, [AddressFamily[]]$AddressFamily, [string]$PolicyStore)

    Invoke-Model -Name Get-NetRoute -Parameters @{ PolicyStore = $PolicyStore } -Caller $PSCmdlet
}

function Get-NetIPAddress {
    [CmdletBinding()]
    param ([string[]]$IPAddress, [uint32[]]$InterfaceIndex, [AddressFamily[]]$AddressFamily, [string]$PolicyStore)

    Invoke-Model -Name Get-NetIPAddress -Parameters @{ PolicyStore = $PolicyStore } -Caller $PSCmdlet
}

function Get-NetIPInterface {
    [CmdletBinding()]
    param ([uint32[]]$InterfaceIndex, [AddressFamily[]]$AddressFamily)

    Invoke-Model -Name Get-NetIPInterface -Parameters @{} -Caller $PSCmdlet
}

function Get-NetAdapter {
    [CmdletBinding()]
    param ([string[]]$Name, [switch]$IncludeHidden, [uint32[]]$InterfaceIndex)

    Invoke-Model -Name Get-NetAdapter -Parameters @{ IncludeHidden = [bool]$IncludeHidden } -Caller $PSCmdlet
}

function Find-NetRoute {
    [CmdletBinding()]
    param ([uint32]$InterfaceIndex, [string]$LocalIPAddress, [Parameter(Mandatory = $true)][string]$RemoteIPAddress)

    Invoke-Model -Name Find-NetRoute -Parameters @{ LocalIPAddress = $LocalIPAddress } -Caller $PSCmdlet
}

# The changing ones ask for confirmation unless they are told not to, and without a person that is an error.

function New-NetRoute {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param (
        [Parameter(Mandatory = $true)][string]$DestinationPrefix,
        [Parameter(Mandatory = $true)][uint32]$InterfaceIndex,
        [string]$NextHop = '0.0.0.0',
        [uint16]$RouteMetric = 256,
        [ValidateSet('', 'ActiveStore', 'PersistentStore')][string]$PolicyStore
    )

    if ($PSCmdlet.ShouldProcess($DestinationPrefix)) {
        $parameters = [ordered]@{
            DestinationPrefix = $DestinationPrefix
            InterfaceIndex = $InterfaceIndex
            NextHop = $NextHop
            RouteMetric = $RouteMetric
            PolicyStore = $PolicyStore
        }
        Invoke-Model -Name New-NetRoute -Parameters $parameters -Caller $PSCmdlet
    }
}

function Remove-NetRoute {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param (
        [string]$DestinationPrefix,
        [uint32]$InterfaceIndex,
        [string]$NextHop,
        [ValidateSet('ActiveStore', 'PersistentStore')][string]$PolicyStore
    )

    if ($PSCmdlet.ShouldProcess($DestinationPrefix)) {
        $parameters = [ordered]@{
            DestinationPrefix = $DestinationPrefix
            InterfaceIndex = $InterfaceIndex
            NextHop = $NextHop
            PolicyStore = $PolicyStore
        }
        Invoke-Model -Name Remove-NetRoute -Parameters $parameters -Caller $PSCmdlet
    }
}

function Set-NetRoute {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param (
        [string]$DestinationPrefix,
        [uint32]$InterfaceIndex,
        [string]$NextHop,
        [uint16]$RouteMetric,
        [ValidateSet('ActiveStore', 'PersistentStore')][string]$PolicyStore
    )

    if ($PSCmdlet.ShouldProcess($DestinationPrefix)) {
        $parameters = [ordered]@{
            DestinationPrefix = $DestinationPrefix
            InterfaceIndex = $InterfaceIndex
            NextHop = $NextHop
            RouteMetric = $RouteMetric
            PolicyStore = $PolicyStore
        }
        Invoke-Model -Name Set-NetRoute -Parameters $parameters -Caller $PSCmdlet
    }
}

function Set-NetIPAddress {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param ([string]$IPAddress, [uint32]$InterfaceIndex, [bool]$SkipAsSource)

    if ($PSCmdlet.ShouldProcess($IPAddress)) {
        $parameters = [ordered]@{ IPAddress = $IPAddress; InterfaceIndex = $InterfaceIndex; SkipAsSource = $SkipAsSource }
        Invoke-Model -Name Set-NetIPAddress -Parameters $parameters -Caller $PSCmdlet
    }
}

function Get-Service {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '')]
    [CmdletBinding()]
    param ([string[]]$Name)

    Invoke-Model -Name Get-Service -Parameters @{} -Caller $PSCmdlet | ForEach-Object {
        [pscustomobject]@{ Name = $Name[0]; Status = [ServiceStatus]$_.Status }
    }
}

function Get-CimInstance {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidOverwritingBuiltInCmdlets', '')]
    [CmdletBinding()]
    param ([Parameter(Mandatory = $true)][string]$ClassName)

    Invoke-Model -Name $ClassName -Parameters @{} -Caller $PSCmdlet
}

Export-ModuleMember -Function '*-Net*', 'Get-Service', 'Get-CimInstance'
