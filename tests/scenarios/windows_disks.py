# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows VMs and their disks: what IMDS lists, the rows that CIM returns, and which is which.

Locations, paths and names have the forms that were seen on VMs in Azure.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .guest_disks import listed

GIB = 1 << 30
DISK_CLASS = "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"
ATA, SCSI, SAS, VHDX, NVME = 3, 1, 10, 15, 17
RAW, MBR, GPT = 0, 1, 2


class WindowsHost(NamedTuple):
    """One VM.

    listed: what IMDS calls storageProfile. disks, partitions: rows of MSFT_Disk and MSFT_Partition, or a message. The
    rest is what the facts say: numbers of disks, by LUN those of data disks; contradictions as code and LUN; guessed:
    the numbers whose pairing is uncertain; reason: why there are no devices.
    """

    listed: dict[str, Any]
    disks: Any
    partitions: Any = []
    os_disk: int | None = 0
    data_disks: dict[int, int | None] = {}
    resource_disk: int | None = None
    local_disks: list[int] = []
    contradictions: list[tuple[str, int | None]] = []
    guessed: set[int] = set()
    reason: str | None = None


def rows(host: WindowsHost, adapters: Any = ()) -> dict[str, Any]:
    """What the host reports."""
    return {"disks": host.disks, "partitions": host.partitions, "adapters": list(adapters)}


def report(host: WindowsHost, adapters: Any = ()) -> str:
    return json.dumps(rows(host, adapters))


def _disk(number: int, name: str, bus: Any, location: str, path: str, **more: Any) -> dict[str, Any]:
    return {
        "Number": number,
        "Path": path,
        "Location": location,
        "BusType": bus,
        "FriendlyName": name,
        "SerialNumber": None,
        "UniqueId": f"6002248012345678123456781234{number:04d}",
        "Size": 32 * GIB,
        "PartitionStyle": GPT,
        "IsOffline": False,
        "IsBoot": False,
        **more,
    }


def scsi(number: int, adapter: int, lun: int, **more: Any) -> dict[str, Any]:
    location = f"Integrated : Bus 0 : Device 63667 : Function 30747 : Adapter {adapter} : Port 0 : Target 0 : LUN {lun}"
    path = rf"\\?\scsi#disk&ven_msft&prod_virtual_disk#5&23db5f40&0&0000{lun:02x}#{DISK_CLASS}"
    return {**_disk(number, "Msft Virtual Disk", SAS, location, path), **more}


def ide(number: int, channel: int, **more: Any) -> dict[str, Any]:
    location = f"PCI Slot 0 : Bus 0 : Device 7 : Function 1 : Adapter 0 : Port {channel} : Target 0 : LUN 0"
    path = rf"\\?\ide#diskvirtual_hd______________________________1.1.0___#5&35dc7040&0&{channel}.0.0#{DISK_CLASS}"
    return {**_disk(number, "Virtual HD", ATA, location, path), **more}


def nvme(number: int, digits: str, **more: Any) -> dict[str, Any]:
    """digits: the last two of the path, which count namespaces from 0."""
    location = "Integrated : Bus 0 : Device 0 : Function 0 : Adapter 0"
    path = rf"\\?\scsi#disk&ven_nvme&prod_msft_nvme_accele#6&ca10229&0&0000{digits}#{DISK_CLASS}"
    return {**_disk(number, "Virtual_Disk NVME Premium", NVME, location, path), **more}


def local(number: int, **more: Any) -> dict[str, Any]:
    location = f"PCI Slot {number} : Bus 0 : Device 0 : Function 0 : Adapter {number}"
    path = rf"\\?\scsi#disk&ven_nvme&prod_microsoft_nvme_d#5&1e5ce7e6&0&000000#{DISK_CLASS}"
    return {**_disk(number, "Microsoft NVMe Direct Disk v2", NVME, location, path), "Size": 440 * GIB, **more}


def at(location: str, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "Location": location}


OS = {"IsBoot": True, "Size": 30 * GIB + (1 << 20)}
NEW = {"PartitionStyle": RAW, "IsOffline": True}
MANY = list(range(18))
LETTERS = [
    {"DiskNumber": 0, "DriveLetter": "\0"},
    {"DiskNumber": 0, "DriveLetter": "C"},
    {"DiskNumber": 1, "DriveLetter": "D"},
    {"DiskNumber": 3, "DriveLetter": "G"},
    {"DiskNumber": 3, "DriveLetter": "F"},
    {"DiskNumber": 3, "DriveLetter": None},
]

HOSTS = {
    "generation 2": WindowsHost(
        listed(0, 5, 63),
        [scsi(0, 0, 0, **OS), scsi(1, 0, 1), scsi(4, 1, 0, **NEW), scsi(2, 1, 5), scsi(3, 1, 63)],
        partitions=LETTERS,
        data_disks={0: 4, 5: 2, 63: 3},
        resource_disk=1,
    ),
    "a new disk": WindowsHost(
        listed(0, 1),
        [scsi(0, 0, 0, **OS), scsi(1, 0, 1), scsi(3, 1, 0), scsi(2, 1, 1, **NEW)],
        partitions=LETTERS[:3],
        data_disks={0: 3, 1: 2},
        resource_disk=1,
    ),
    "generation 2, adapters as they come": WindowsHost(
        listed(0, 1),
        [
            at("PCI Slot 3 : Adapter 2 : Port 0 : Target 0 : LUN 0", scsi(0, 2, 0, **OS)),
            at("PCI Slot 3 : Adapter 2 : Port 0 : Target 1 : LUN 0", scsi(1, 2, 0)),
            at("Integrated : Adapter 0 : Port 0 : Target 0 : LUN 0", scsi(2, 0, 0)),
            at("Integrated : Adapter 0 : Port 0 : Target 0 : LUN 1", scsi(3, 0, 1)),
        ],
        data_disks={0: 2, 1: 3},
        resource_disk=1,
    ),
    "generation 1, data disks on adapter 0 too": WindowsHost(
        listed(0, 1),
        [ide(0, 0, **OS), ide(1, 1), scsi(2, 0, 0, FriendlyName="Microsoft Virtual Disk"), scsi(3, 0, 1, BusType=SCSI)],
        data_disks={0: 2, 1: 3},
        resource_disk=1,
    ),
    "PowerShell's module Storage is loaded": WindowsHost(
        listed(0),
        [
            scsi(0, 0, 0, **{**OS, "BusType": "SAS", "PartitionStyle": "GPT"}),
            scsi(1, 1, 0, BusType="SAS", PartitionStyle="RAW"),
        ],
        data_disks={0: 1},
    ),
    "short paths": WindowsHost(
        listed(1),
        [
            scsi(0, 0, 0, **OS, Path=rf"\\?\scsi#disk&ven_msft&prod_virtual_disk#000000#{DISK_CLASS}"),
            scsi(1, 3, 1, Path=rf"\\?\scsi#disk&ven_msft&prod_virtual_disk#000001#{DISK_CLASS}"),
        ],
        data_disks={1: 1},
    ),
    "path and location differ": WindowsHost(
        listed(1),
        [scsi(0, 0, 0, **OS), {**scsi(1, 1, 2), "Location": scsi(1, 1, 1)["Location"]}],
        data_disks={1: 1},
        guessed={1},
    ),
    "two data disks that claim one LUN": WindowsHost(
        listed(1),
        [scsi(0, 0, 0, **OS), scsi(1, 1, 1), scsi(2, 3, 1)],
        data_disks={1: None},
        contradictions=[("ambiguous_device", 1)],
    ),
    "attached and not seen, detached and still listed": WindowsHost(
        listed(0, 2),
        [scsi(0, 0, 0, **OS), scsi(1, 1, 0), scsi(2, 1, 7)],
        data_disks={0: 1, 2: None},
        contradictions=[("missing_device", 2), ("unknown_to_imds", 7)],
    ),
    "a size that contradicts": WindowsHost(
        listed(0),
        [scsi(0, 0, 0, **OS), scsi(1, 1, 0, Size=64 * GIB)],
        data_disks={0: 1},
        contradictions=[("size_mismatch", 0)],
        guessed={1},
    ),
    "NVMe": WindowsHost(
        listed(0, 1, 7),
        [nvme(0, "00", **OS), nvme(2, "01"), nvme(1, "02"), nvme(3, "08", FriendlyName="MSFT NVMe Accelerator v1.0")],
        partitions=LETTERS,
        data_disks={0: 2, 1: 1, 7: 3},
    ),
    "NVMe, remote and local": WindowsHost(
        listed(0),
        [nvme(0, "00", **OS), local(1), nvme(2, "01"), local(3, FriendlyName="Microsoft NVMe Direct Disk")],
        data_disks={0: 2},
        local_disks=[1, 3],
    ),
    "NVMe, many disks, hexadecimal": WindowsHost(
        listed(*MANY),
        [nvme(0, "00", **OS), *(nvme(lun + 1, f"{lun + 1:02x}") for lun in MANY)],
        data_disks={lun: lun + 1 for lun in MANY},
    ),
    "NVMe, many disks, decimal": WindowsHost(
        listed(*MANY),
        [nvme(0, "00", **OS), *(nvme(lun + 1, f"{lun + 1:02d}") for lun in MANY)],
        data_disks={lun: lun + 1 for lun in MANY},
        guessed=set(range(10, 19)),
    ),
    "NVMe, only one with two digits": WindowsHost(
        listed(0, 15),
        [nvme(0, "00", **OS), nvme(1, "01"), nvme(2, "10")],
        data_disks={0: 1, 15: 2},
        guessed={2},
    ),
    "NVMe by its path only, with a temporary disk by SCSI": WindowsHost(
        listed(0),
        [nvme(0, "00", **OS, FriendlyName="NVMe"), nvme(1, "01", FriendlyName="NVMe"), scsi(2, 0, 1)],
        data_disks={0: 1},
        resource_disk=2,
        guessed={2},
    ),
    "disks by SCSI, local disks by NVMe": WindowsHost(
        listed(0),
        [scsi(0, 0, 0, **OS), scsi(1, 0, 1), scsi(2, 1, 0), local(3)],
        data_disks={0: 2},
        resource_disk=1,
        local_disks=[3],
    ),
    "started from a data disk, SCSI": WindowsHost(
        listed(3),
        [scsi(0, 0, 0, Size=30 * GIB), scsi(1, 1, 3, **OS)],
        os_disk=None,
        data_disks={3: None},
        contradictions=[("unplaced_device", None)] * 2,
    ),
    "started from a data disk, NVMe": WindowsHost(
        listed(0),
        [nvme(0, "00"), nvme(1, "01", **OS)],
        os_disk=None,
        data_disks={0: None},
        contradictions=[("unplaced_device", None)] * 2,
    ),
    "an ephemeral OS disk on a local disk": WindowsHost(
        listed(0, diffDiskSettings={"option": "Local"}),
        [local(0, **OS), local(1), nvme(2, "01")],
        data_disks={0: None},
        local_disks=[1],
        contradictions=[("unplaced_device", None)],
        guessed={0},
    ),
    "started from two disks": WindowsHost(
        listed(0),
        [scsi(0, 0, 0, **OS), scsi(1, 1, 0, **OS)],
        os_disk=None,
        data_disks={0: None},
        contradictions=[("unplaced_device", None)] * 2,
    ),
    "disks of others": WindowsHost(
        listed(0),
        [
            scsi(0, 0, 0, **OS),
            scsi(1, 1, 0),
            at(r"C:\ProgramData\layers\1\sandbox.vhdx", scsi(2, 1, 0, BusType=VHDX)),
            scsi(3, 1, 1, FriendlyName="LIO-ORG disk"),
            nvme(4, "01", FriendlyName="SAMSUNG", Path=r"\\?\scsi#disk&ven_nvme&prod_samsung#1&2&0&000001#{}"),
            scsi(5, 1, 0, Number=None),
            "no row",
        ],
        data_disks={0: 1},
    ),
    "a form of the location that nobody has seen": WindowsHost(
        listed(0),
        [scsi(0, 0, 0, **OS), at("Adapter1 LUN 0", scsi(1, 1, 0))],
        data_disks={0: None},
        contradictions=[("unplaced_device", None)],
    ),
    "partitions can't be read": WindowsHost(
        listed(0), [scsi(0, 0, 0, **OS), scsi(1, 1, 0)], partitions="Access denied", data_disks={0: 1}
    ),
    "disks can't be read": WindowsHost(
        listed(0), "Access denied\x1b", os_disk=None, data_disks={0: None}, reason="unreadable"
    ),
    "no disk of Azure": WindowsHost(
        listed(0),
        [scsi(0, 0, 0, **OS, FriendlyName="QEMU")],
        os_disk=None,
        data_disks={0: None},
        reason="no_azure_disks",
    ),
}


def nic(name: str, description: str, driver: str | None, mac: str = "000D3A000001", **more: Any) -> dict[str, Any]:
    """A row of MSFT_NetAdapter."""
    return {
        "Name": name,
        "InterfaceDescription": description,
        "PermanentAddress": mac,
        "DriverName": rf"\SystemRoot\System32\drivers\{driver}.sys" if driver else None,
        "InterfaceOperationalStatus": 1,
        "Hidden": False,
        **more,
    }


NETVSC = nic("Ethernet", "Microsoft Hyper-V Network Adapter", "netvsc")
MLX5 = nic("Ethernet 3", "Mellanox ConnectX-5 Virtual Adapter", "mlx5")
FILTER = nic("Ethernet 3-WFP", "Mellanox ConnectX-5 Virtual Adapter-WFP Filter-0000", "wfp", Hidden=True)
MANA = nic("Ethernet 4", "Microsoft Azure Network Adapter #2", "mana")
SWITCH = nic("vEthernet (Switch)", "Hyper-V Virtual Ethernet Adapter", "VMSNPXY")
