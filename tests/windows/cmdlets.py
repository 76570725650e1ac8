# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""All cmdlets that the collection's PowerShell may call, with the parameters that they have.

Source: Microsoft's reference on learn.microsoft.com, modules NetTCPIP and NetAdapter of Windows Server 2022, and
CimCmdlets, Microsoft.PowerShell.Core, Microsoft.PowerShell.Management and Microsoft.PowerShell.Utility of Windows
PowerShell 5.1.
"""

from __future__ import annotations

_COMMON = "ErrorAction"
_CIM = "CimSession ThrottleLimit AsJob"
_CHANGE = "Confirm WhatIf"
_ROUTE = """DestinationPrefix InterfaceIndex InterfaceAlias NextHop AddressFamily Publish RouteMetric Protocol
    ValidLifetime PreferredLifetime PolicyStore"""
_ROUTE_FILTER = f"{_ROUTE} CompartmentId State InterfaceMetric AssociatedIPInterface IncludeAllCompartments"
_ADDRESS = """IPAddress InterfaceIndex InterfaceAlias AddressFamily Type PrefixLength PrefixOrigin SuffixOrigin
    AddressState ValidLifetime PreferredLifetime SkipAsSource PolicyStore IncludeAllCompartments"""

_REFERENCE = {
    "Export-ModuleMember": "Alias Cmdlet Function Variable",
    "Find-NetRoute": f"InterfaceIndex LocalIPAddress RemoteIPAddress {_CIM}",
    "Get-CimInstance": """ClassName ComputerName CimSession Filter InputObject KeyOnly Namespace OperationTimeoutSec
        Property Query QueryDialect ResourceUri Shallow""",
    "Get-NetAdapter": f"IncludeHidden InterfaceDescription InterfaceIndex Name Physical {_CIM}",
    "Get-NetIPAddress": f"{_ADDRESS} AssociatedIPInterface {_CIM}",
    "Get-NetIPInterface": f"""InterfaceIndex InterfaceAlias AddressFamily InterfaceMetric Dhcp ConnectionState
        CompartmentId PolicyStore IncludeAllCompartments {_CIM}""",
    "Get-NetRoute": f"{_ROUTE_FILTER} {_CIM}",
    "Get-Service": "ComputerName DependentServices DisplayName Exclude Include InputObject Name RequiredServices",
    "Import-Module": "Name Global Prefix Function Cmdlet Force PassThru DisableNameChecking",
    "New-NetRoute": f"{_ROUTE} {_CIM} {_CHANGE}",
    "Remove-NetRoute": f"{_ROUTE_FILTER} InputObject PassThru {_CIM} {_CHANGE}",
    "Set-NetIPAddress": f"{_ADDRESS} InputObject PassThru {_CIM} {_CHANGE}",
    "Set-NetRoute": f"{_ROUTE} IncludeAllCompartments InputObject PassThru {_CIM} {_CHANGE}",
    "ConvertTo-Json": "InputObject Depth Compress",
    "Select-Object": "InputObject Property ExcludeProperty ExpandProperty Unique Last First Skip Wait Index",
    "Set-StrictMode": "Off Version",
}

CMDLETS = {name: {f"-{word}" for word in f"{words} {_COMMON}".split()} for name, words in _REFERENCE.items()}

CHANGING = {name for name, words in _REFERENCE.items() if "Confirm" in words.split()}

# The only classes that Get-CimInstance is asked for.
CIM_CLASSES = {
    *("MSFT_Disk", "MSFT_Partition", "MSFT_NetAdapter"),
    "Win32_ComputerSystemProduct",
    "Win32_IP4PersistedRouteTable",
    "Win32_OperatingSystem",
    "Win32_SystemEnclosure",
}
