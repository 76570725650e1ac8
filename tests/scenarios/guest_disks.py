# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""VMs and their disks: what IMDS lists, what the guest has, and which is which.

Unit tests build a tree of files from a description, and the lab a VM; both in the form of the guide lab.rst.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ansible_collections.imds.azure.tests.lab import disk_spec, disk_tree
from ansible_collections.imds.azure.tests.lab.fields import Fields

GIB = 1024  # in MiB


class Guest(NamedTuple):
    """One VM.

    listed: what IMDS calls storageProfile. disks, stacks: fields of a VM in the lab. mounts: device, mount point, file
    system and source. The rest is what the facts say: paths, by LUN those of data disks; contradictions as code and
    LUN; guessed: the paths whose pairing is uncertain.
    """

    listed: dict[str, Any]
    disks: list[dict[str, Any]]
    stacks: list[dict[str, Any]] = []
    mounts: list[tuple[str, str, str, str]] = []
    os_disk: str | None = None
    data_disks: dict[int, str | None] = {}
    resource_disk: str | None = None
    local_disks: list[str] = []
    contradictions: list[tuple[str, int | None]] = []
    guessed: set[str] = set()


def tree(disks: list[dict[str, Any]], stacks: list[dict[str, Any]]) -> disk_tree.Tree:
    """What the kernel shows of them."""
    fields = Fields({"disks": disks, "stacks": stacks}, "vm")
    found = disk_spec.disks(fields)
    return disk_tree.Tree(found, disk_spec.stacks(fields, found))


def listed(*luns: int, size: int = 32, **os_disk: Any) -> dict[str, Any]:
    """A storageProfile as IMDS sends it, with strings for numbers."""
    return {
        "dataDisks": [{"lun": str(lun), "name": f"data-{lun}", "diskSizeGB": str(size)} for lun in luns],
        "osDisk": {"name": "os", "diskSizeGB": "30", **os_disk},
        "resourceDisk": {"size": "16384"},
    }


# As on a real VM: 30 GiB and 1 MiB.
OS_SIZE = 30 * GIB + 1
IDE_OS = {"device": "sda", "controller": "ide0", "size_mib": OS_SIZE, "partitions_mib": [500, 29 * GIB]}
SCSI_OS = {"device": "sda", "controller": "scsi0", "size_mib": OS_SIZE, "partitions_mib": [500, 29 * GIB]}
NVME_OS = {"device": "nvme0n1", "controller": "nvme", "size_mib": OS_SIZE, "partitions_mib": [500, 29 * GIB]}
SCSI_RESOURCE = {
    "device": "sdb",
    "controller": "scsi0",
    "lun": 1,
    "size_mib": 16 * GIB,
    "partitions_mib": [16 * GIB - 2],
}
SCSI_ROOT = ("sda2", "/", "ext4", "/dev/root")
NVME_ROOT = ("nvme0n1p2", "/", "xfs", "/dev/nvme0n1p2")


def _data(device: str, lun: int, **more: Any) -> dict[str, Any]:
    return {"device": device, "controller": "scsi1", "lun": lun, **more}


def _nvme(device: str, nsid: int | None, **more: Any) -> dict[str, Any]:
    return {"device": device, "controller": "nvme", "nsid": nsid, **more}


def _local(device: str, controller: str = "local-v2", **more: Any) -> dict[str, Any]:
    return {"device": device, "controller": controller, "size_mib": 440 * GIB, **more}


GUESTS: dict[str, Guest] = {
    "generation 1": Guest(
        listed(0, 1),
        [
            IDE_OS,
            {"device": "sdb", "controller": "ide1", "size_mib": 16 * GIB},
            _data("sdc", 0, links=["azure/scsi1/lun0", "by-path/acpi-VMBUS:01-vmbus-f8b3781b-lun-0"]),
            _data("sdd", 1, links=["by-id/scsi-360022480", "by-id/wwn-0x60022480", "by-uuid/0f3c"]),
        ],
        mounts=[SCSI_ROOT, ("sdc", "/srv/with blank", "xfs", "/dev/sdc")],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdc", 1: "/dev/sdd"},
        resource_disk="/dev/sdb",
    ),
    "generation 2, letters shuffled and gaps between LUNs": Guest(
        listed(0, 5, 63),
        [
            _data("sda", 63),
            _data("sdb", 0),
            {**SCSI_OS, "device": "sdc"},
            {**SCSI_RESOURCE, "device": "sdd"},
            _data("sde", 5),
        ],
        mounts=[("sdc2", "/", "ext4", "/dev/root"), ("sdd1", "/mnt", "ext4", "/dev/sdd1")],
        os_disk="/dev/sdc",
        data_disks={0: "/dev/sdb", 5: "/dev/sde", 63: "/dev/sda"},
        resource_disk="/dev/sdd",
    ),
    "NVMe, namespace IDs are not those of the names": Guest(
        listed(0, 1, 9),
        [
            NVME_OS,
            _nvme("nvme0n2", 3),
            _nvme("nvme0n3", 11),
            _nvme("nvme0n4", 2, links=["azure/data/by-lun/0", "by-id/nvme-MSFT_NVMe_Accelerator_v1.0_SN:_000001"]),
        ],
        mounts=[NVME_ROOT],
        os_disk="/dev/nvme0n1",
        data_disks={0: "/dev/nvme0n4", 1: "/dev/nvme0n2", 9: "/dev/nvme0n3"},
    ),
    "NVMe with multipath, whose paths are hidden": Guest(
        listed(0),
        [{**NVME_OS, "multipath": True}, _nvme("nvme0n2", 2, multipath=True)],
        mounts=[NVME_ROOT],
        os_disk="/dev/nvme0n1",
        data_disks={0: "/dev/nvme0n2"},
    ),
    "NVMe on a kernel that doesn't tell namespace IDs": Guest(
        listed(0, 1),
        [{**NVME_OS, "nsid": None}, _nvme("nvme0n2", None), _nvme("nvme0n3", None)],
        mounts=[NVME_ROOT],
        os_disk="/dev/nvme0n1",
        data_disks={0: "/dev/nvme0n2", 1: "/dev/nvme0n3"},
        guessed={"/dev/nvme0n1", "/dev/nvme0n2", "/dev/nvme0n3"},
    ),
    "v6, local disks that are not data disks": Guest(
        listed(0),
        [
            NVME_OS,
            _nvme("nvme0n2", 2),
            _local("nvme1n1", links=["azure/local/by-index/2", "azure/local/by-name/nvme-440G-2"]),
            _local("nvme2n1", links=["azure/local/by-index/1", "azure/local/by-name/nvme-440G-1"]),
        ],
        mounts=[NVME_ROOT, ("nvme2n1", "/scratch", "xfs", "/dev/nvme2n1")],
        os_disk="/dev/nvme0n1",
        data_disks={0: "/dev/nvme0n2"},
        local_disks=["/dev/nvme2n1", "/dev/nvme1n1"],
    ),
    "remote disks by NVMe, resource disk by SCSI": Guest(
        listed(0),
        [NVME_OS, _nvme("nvme0n2", 2), {**SCSI_RESOURCE, "device": "sda"}],
        mounts=[NVME_ROOT],
        os_disk="/dev/nvme0n1",
        data_disks={0: "/dev/nvme0n2"},
        resource_disk="/dev/sda",
    ),
    "disks by SCSI, local disks by NVMe": Guest(
        listed(0),
        [SCSI_OS, SCSI_RESOURCE, _data("sdc", 0), _local("nvme0n1", "local"), _local("nvme1n1", "local")],
        mounts=[SCSI_ROOT],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdc"},
        resource_disk="/dev/sdb",
        local_disks=["/dev/nvme0n1", "/dev/nvme1n1"],
    ),
    "LVM and md on top": Guest(
        listed(0, 1, 2, 3),
        [
            SCSI_OS,
            _data("sdb", 0, partitions_mib=[32 * GIB - 2]),
            _data("sdc", 1),
            _data("sdd", 2),
            _data("sde", 3),
        ],
        stacks=[
            {"device": "dm-0", "name": "vg-data", "on": ["sdb1", "sdc"]},
            {"device": "md127", "on": ["sdd", "sde"]},
            {"device": "dm-1", "name": "vg-top", "on": ["md127"]},
        ],
        mounts=[
            SCSI_ROOT,
            ("dm-0", "/data", "xfs", "/dev/mapper/vg-data"),
            ("dm-1", "/top", "ext4", "/dev/mapper/vg-top"),
        ],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb", 1: "/dev/sdc", 2: "/dev/sdd", 3: "/dev/sde"},
    ),
    "root on LVM": Guest(
        listed(),
        [SCSI_OS],
        stacks=[{"device": "dm-0", "name": "rootvg-rootlv", "on": ["sda2"]}],
        mounts=[("dm-0", "/", "xfs", "/dev/mapper/rootvg-rootlv")],
        os_disk="/dev/sda",
    ),
    "root in a subvolume of Btrfs": Guest(
        listed(),
        [SCSI_OS],
        mounts=[("btrfs", "/", "btrfs", "/dev/sda2")],
        os_disk="/dev/sda",
    ),
    "ephemeral OS disk in the cache": Guest(
        listed(0, diffDiskSettings={"option": "Local"}),
        [SCSI_OS, _data("sdb", 0)],
        mounts=[SCSI_ROOT],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb"},
    ),
    "ephemeral OS disk on a local NVMe disk": Guest(
        listed(0, diffDiskSettings={"option": "Local"}),
        [
            _local("nvme1n1", size_mib=OS_SIZE, partitions_mib=[500, 29 * GIB]),
            _local("nvme2n1"),
            _nvme("nvme0n2", 2),
        ],
        mounts=[("nvme1n1p2", "/", "ext4", "/dev/nvme1n1p2")],
        os_disk="/dev/nvme1n1",
        data_disks={0: "/dev/nvme0n2"},
        local_disks=["/dev/nvme2n1"],
        guessed={"/dev/nvme1n1"},
    ),
    "no OS disk, and root on a local disk of a VM that is not ephemeral": Guest(
        listed(),
        [_local("nvme1n1", partitions_mib=[GIB])],
        mounts=[("nvme1n1p1", "/", "ext4", "/dev/nvme1n1p1")],
        local_disks=["/dev/nvme1n1"],
    ),
    "no OS disk, and root on a data disk of a VM whose OS disk is ephemeral": Guest(
        listed(0, diffDiskSettings={"option": "Local"}),
        [_local("nvme1n1"), _nvme("nvme0n2", 2, partitions_mib=[GIB])],
        mounts=[("nvme0n2p1", "/", "ext4", "/dev/nvme0n2p1")],
        data_disks={0: "/dev/nvme0n2"},
        local_disks=["/dev/nvme1n1"],
    ),
    "settings of the OS disk in a form that nobody knows": Guest(
        listed(diffDiskSettings="Local"),
        [_local("nvme1n1", partitions_mib=[GIB])],
        mounts=[("nvme1n1p1", "/", "ext4", "/dev/nvme1n1p1")],
        local_disks=["/dev/nvme1n1"],
    ),
    "a LUN that the guest lacks": Guest(
        listed(0, 1),
        [SCSI_OS, _data("sdb", 0)],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb", 1: None},
        contradictions=[("missing_device", 1)],
    ),
    "disks that IMDS doesn't list": Guest(
        listed(0),
        [SCSI_OS, _data("sdb", 0), _data("sdc", 7), {"device": "sdd", "controller": "scsi-unknown", "lun": 1}],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb"},
        contradictions=[("unknown_to_imds", 7), ("unknown_to_imds", None)],
    ),
    "a size that contradicts": Guest(
        listed(0, 1, size=64),
        [SCSI_OS, _data("sdb", 0, size_mib=64 * GIB), _data("sdc", 1, size_mib=32 * GIB)],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb", 1: "/dev/sdc"},
        contradictions=[("size_mismatch", 1)],
        guessed={"/dev/sdc"},
    ),
    "two candidates for a LUN": Guest(
        listed(0, 1),
        [NVME_OS, _nvme("nvme0n2", 2), _data("sda", 0), _data("sdb", 1)],
        os_disk="/dev/nvme0n1",
        data_disks={0: None, 1: "/dev/sdb"},
        contradictions=[("ambiguous_device", 0)],
    ),
    "a controller that Azure isn't known to use": Guest(
        listed(0, 1),
        [
            SCSI_OS,
            _data("sdb", 0),
            {"device": "sdc", "controller": "scsi2", "lun": 0},
            {"device": "sdd", "controller": "scsi2", "lun": 1},
        ],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb", 1: "/dev/sdd"},
        contradictions=[("unknown_to_imds", 0)],
        guessed={"/dev/sdd"},
    ),
    "a link that leads to the wrong disk": Guest(
        listed(0, 1),
        [
            NVME_OS,
            _nvme("nvme0n2", 3, links=["azure/data/by-lun/0", "by-id/nvme-eui.02"]),
            _nvme("nvme0n3", 2, links=["by-id/nvme-eui.01"]),
        ],
        os_disk="/dev/nvme0n1",
        data_disks={0: "/dev/nvme0n3", 1: "/dev/nvme0n2"},
        contradictions=[("link_mismatch", 1)],
    ),
    "root on a data disk": Guest(
        listed(0),
        [SCSI_OS, _data("sdb", 0, partitions_mib=[GIB])],
        mounts=[("sdb1", "/", "ext4", "/dev/sdb1")],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb"},
        contradictions=[("root_elsewhere", None)],
        guessed={"/dev/sda"},
    ),
    "beside disks of somebody else": Guest(
        listed(0),
        [
            SCSI_OS,
            _data("sdb", 0),
            {"device": "vda", "controller": "virtio"},
            {"device": "nvme0n1", "controller": "nvme-unknown"},
        ],
        os_disk="/dev/sda",
        data_disks={0: "/dev/sdb"},
    ),
}
