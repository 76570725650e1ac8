# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Reads what Windows knows about disks and network adapters; others decide. The module passes it to C#, and the one
# command to the controller.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

Function Get-ImdsDeviceRow {
    <#
    .SYNOPSIS
    Disks, partitions and adapters, each a list of rows, or the message of the error instead, as one line of JSON.
    #>
    [CmdletBinding()]
    param ()

    $rows = @{}
    try {
        # By name, because a search for a cmdlet looks into every module where there is none.
        Import-Module -Name CimCmdlets -ErrorAction Stop
    }
    catch {
        return ConvertTo-Json -Compress -InputObject @{ disks = "$_" }
    }
    try {
        $names = @(
            'Number', 'Path', 'Location', 'BusType', 'FriendlyName', 'SerialNumber', 'UniqueId', 'Size',
            'PartitionStyle', 'IsOffline', 'IsBoot'
        )
        $rows.disks = @(
            Get-CimInstance -Namespace root/Microsoft/Windows/Storage -ClassName MSFT_Disk -ErrorAction Stop |
                Select-Object -Property $names
        )
    }
    catch { $rows.disks = "$_" }
    try {
        $names = 'DiskNumber', 'DriveLetter'
        $rows.partitions = @(
            Get-CimInstance -Namespace root/Microsoft/Windows/Storage -ClassName MSFT_Partition -ErrorAction Stop |
                Select-Object -Property $names
        )
    }
    catch { $rows.partitions = "$_" }
    try {
        $names = 'Name', 'InterfaceDescription', 'PermanentAddress', 'DriverName', 'InterfaceOperationalStatus', 'Hidden'
        $rows.adapters = @(
            Get-CimInstance -Namespace root/StandardCimv2 -ClassName MSFT_NetAdapter -ErrorAction Stop |
                Select-Object -Property $names
        )
    }
    catch { $rows.adapters = "$_" }
    ConvertTo-Json -Compress -Depth 3 -InputObject $rows
}

Export-ModuleMember -Function 'Get-ImdsDeviceRow'
