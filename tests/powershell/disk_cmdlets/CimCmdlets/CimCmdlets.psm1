# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Stand-ins for the module CimCmdlets, and for the cmdlets that change disks. The disks, partitions and adapters of the
# host, and the changes so far, are in the file that the variable STAND_IN_DISKS names.

$types = @{
    BusType = [uint16]
    DiskNumber = [uint32]
    InterfaceOperationalStatus = [uint32]
    Number = [uint32]
    PartitionStyle = [uint16]
    Size = [uint64]
}
$styles = 'RAW', 'MBR', 'GPT'

function Read-State {
    Get-Content -LiteralPath $env:STAND_IN_DISKS -Raw | ConvertFrom-Json
}

# Has a change done, and keeps its name.
function Update-State([string]$Name, [scriptblock]$Change) {
    $state = Read-State
    & $Change $state
    $state.changes = @($state.changes) + $Name
    ConvertTo-Json -InputObject $state -Depth 5 | Set-Content -LiteralPath $env:STAND_IN_DISKS
}

function Get-CimInstance {
    [CmdletBinding()]
    param([string]$Namespace, [string]$ClassName, [string]$Filter)
    $state = Read-State
    $rows = switch ("$Namespace/$ClassName") {
        'root/Microsoft/Windows/Storage/MSFT_Disk' { $state.disks }
        'root/Microsoft/Windows/Storage/MSFT_Partition' { $state.partitions }
        'root/StandardCimv2/MSFT_NetAdapter' { $state.adapters }
        default { throw "No class $Namespace/$ClassName" }
    }
    foreach ($row in $rows) {
        foreach ($property in $row.PSObject.Properties) {
            if ($null -ne $property.Value -and $types.ContainsKey($property.Name)) {
                $property.Value = $property.Value -as $types[$property.Name]
            }
            if ($property.Name -eq 'DriveLetter') { $property.Value = [char]$property.Value }
        }
        Add-Member -InputObject $row -NotePropertyName PSComputerName -NotePropertyValue $null
        $row
    }
}

function Get-Disk {
    [CmdletBinding()]
    param([string]$UniqueId)
    $found = @((Read-State).disks | Where-Object -Property UniqueId -EQ -Value $UniqueId)
    if ($found.Count -ne 1) { throw "$($found.Count) disks with the ID $UniqueId" }
    $found[0].PartitionStyle = $styles[$found[0].PartitionStyle]
    $found[0]
}

function Set-Disk {
    [CmdletBinding()]
    param($InputObject, [Nullable[bool]]$IsOffline, [Nullable[bool]]$IsReadOnly)
    if ($null -ne $IsOffline -and $null -ne $IsReadOnly) { throw 'These are in two parameter sets.' }
    Update-State 'Set-Disk' {
        param($state)
        $disk = $state.disks | Where-Object -Property Number -EQ -Value $InputObject.Number
        if ($null -ne $IsOffline) { $disk.IsOffline = $IsOffline }
        if ($null -ne $IsReadOnly) { $disk.IsReadOnly = $IsReadOnly }
    }
}

function Initialize-Disk {
    [CmdletBinding()]
    param($InputObject, [string]$PartitionStyle)
    Update-State 'Initialize-Disk' {
        param($state)
        $disk = $state.disks | Where-Object -Property Number -EQ -Value $InputObject.Number
        if ($disk.IsOffline -or $disk.IsReadOnly) { throw 'The disk is offline or read-only.' }
        if ($disk.PartitionStyle -ne 0) { throw 'The disk has already been initialized.' }
        $disk.PartitionStyle = [array]::IndexOf($styles, $PartitionStyle)
    }
}

function New-Partition {
    [CmdletBinding()]
    param([uint32]$DiskNumber, [switch]$UseMaximumSize, [char]$DriveLetter)
    $partition = [pscustomobject]@{ DiskNumber = $DiskNumber; DriveLetter = "$DriveLetter" }
    Update-State 'New-Partition' {
        param($state)
        $disk = $state.disks | Where-Object -Property Number -EQ -Value $DiskNumber
        if ($disk.PartitionStyle -eq 0) { throw 'The disk has not been initialized.' }
        $state.partitions = @($state.partitions) + $partition
    }
    $partition
}

function Format-Volume {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    param($Partition, [string]$FileSystem)
    if ($PSCmdlet.ShouldProcess($Partition.DriveLetter)) {
        Update-State "Format-Volume $($Partition.DiskNumber) $($Partition.DriveLetter) $FileSystem" { }
    }
    $Partition
}

Export-ModuleMember -Function 'Get-CimInstance', '*-Disk', 'New-Partition', 'Format-Volume'
