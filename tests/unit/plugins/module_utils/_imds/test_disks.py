# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the guest's devices is which disk of IMDS."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import block_devices, disks, facts, fields
from ansible_collections.imds.azure.tests.lab import disk_tree
from ansible_collections.imds.azure.tests.scenarios.guest_disks import GIB, GUESTS, Guest, listed, tree
from ansible_collections.imds.azure.tests.scenarios.windows_disks import HOSTS
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(autouse=True)
def _linux(monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "platform", "linux")


def written(root: Path, guest: Guest) -> str:
    """The guest as a tree of files; its root."""
    shown = tree(guest.disks, guest.stacks)
    disk_tree.write_sys(shown, root / "sys")
    disk_tree.write_dev(shown, root / "dev")
    (root / "dev" / "mapper").mkdir(exist_ok=True)
    lines = ["20 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw", "half a line"]
    for number, (device, path, kind, source) in enumerate(guest.mounts, start=30):
        part, shows = ("0:44", "/@/home") if kind == "btrfs" else (shown.number(device), "/")
        escaped = path.replace(" ", r"\040")
        lines.append(f"{number} 1 {part} {shows} {escaped} rw,relatime shared:1 - {kind} {source} rw")
    (root / "proc" / "self").mkdir(parents=True, exist_ok=True)
    (root / "proc" / "self" / "mountinfo").write_text("\n".join(lines) + "\n")
    return str(root)


def paired(root: Path, guest: Guest, known: bool = True) -> dict[str, Any]:
    """The facts below storage."""
    profile = guest.listed if known else {}
    storage: dict[str, Any] = facts.build({"compute": {"storageProfile": profile}})[0]["storage"]
    found, holds_root = block_devices.read(written(root, guest))
    disks.pair(storage, found, holds_root, known)
    return storage


def path_of(device: dict[str, Any] | None) -> str | None:
    return device["path"] if device else None


def devices(storage: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [storage["os_disk"], storage["resource_disk"], *storage["data_disks"], *storage["local_disks"]]
    return [part["device"] for part in parts if part["device"]]


@pytest.mark.parametrize("name", GUESTS)
def test_each_disk_is_found(tmp_path: Path, name: str) -> None:
    guest = GUESTS[name]
    storage = paired(tmp_path, guest)
    assert path_of(storage["os_disk"]["device"]) == guest.os_disk
    assert {disk["lun"]: path_of(disk["device"]) for disk in storage["data_disks"]} == guest.data_disks
    assert path_of(storage["resource_disk"]["device"]) == guest.resource_disk
    assert [path_of(disk["device"]) for disk in storage["local_disks"]] == guest.local_disks
    assert [(one["code"], one["lun"]) for one in storage["contradictions"]] == guest.contradictions
    assert {one["path"] for one in devices(storage) if one["confidence"] == "guessed"} == guest.guessed


@pytest.mark.parametrize("name", GUESTS)
def test_devices_have_the_documented_keys(tmp_path: Path, name: str) -> None:
    storage = paired(tmp_path, GUESTS[name])
    assert devices(storage)
    assert {tuple(device) for device in devices(storage)} == {fields.DEVICE}
    assert {device["confidence"] for device in devices(storage)} <= {"exact", "guessed"}
    assert {one["code"] for one in storage["contradictions"]} <= set(disks.CONTRADICTIONS)


def test_every_contradiction_has_a_guest() -> None:
    reported = [*(guest.contradictions for guest in GUESTS.values()), *(host.contradictions for host in HOSTS.values())]
    assert {code for contradictions in reported for code, _lun in contradictions} == set(disks.CONTRADICTIONS)


def test_what_is_on_a_disk(tmp_path: Path) -> None:
    first, second, third, _fourth = (
        disk["device"] for disk in paired(tmp_path, GUESTS["LVM and md on top"])["data_disks"]
    )
    assert first["holders"] == second["holders"] == ["/dev/mapper/vg-data"]
    assert first["mounts"] == second["mounts"] == [{"path": "/data", "src": "/dev/mapper/vg-data", "fstype": "xfs"}]
    assert third["holders"] == ["/dev/md127", "/dev/mapper/vg-top"]
    assert third["mounts"] == [{"path": "/top", "src": "/dev/mapper/vg-top", "fstype": "ext4"}]
    (partition,) = first["partitions"]
    size = (32 * GIB - 2) << 20
    assert partition == {"path": "/dev/sdb1", "stable_path": None, "number": 1, "size_bytes": size}
    assert (first["size_bytes"], first["transport"], third["partitions"]) == (32 << 30, "scsi", [])


def test_links_and_the_stable_one_among_them(tmp_path: Path) -> None:
    first, second = (disk["device"] for disk in paired(tmp_path, GUESTS["generation 1"])["data_disks"])
    assert first["stable_path"] == "/dev/disk/azure/scsi1/lun0"
    assert second["stable_path"] == "/dev/disk/by-id/wwn-0x60022480"
    most_stable_first = ("by-id/wwn-0x60022480", "by-id/scsi-360022480", "by-uuid/0f3c")
    assert second["links"] == [f"/dev/disk/{link}" for link in most_stable_first]
    assert second["wwid"] == "naa.60022480000000000000000000000003"
    assert first["mounts"] == [{"path": "/srv/with blank", "src": "/dev/sdc", "fstype": "xfs"}]


def test_a_link_that_names_every_remote_disk_is_not_stable(tmp_path: Path) -> None:
    guest = GUESTS["NVMe, namespace IDs are not those of the names"]
    one = {**guest.disks[3], "links": ["by-id/nvme-MSFT_NVMe_Accelerator_v1.0_SN:_000001"]}
    storage = paired(tmp_path, guest._replace(disks=[*guest.disks[:3], one]))
    device = storage["data_disks"][0]["device"]
    assert (len(device["links"]), device["stable_path"]) == (1, None)


def test_a_link_to_the_wrong_disk_is_told_and_not_used(tmp_path: Path) -> None:
    storage = paired(tmp_path, GUESTS["a link that leads to the wrong disk"])
    first, second = (disk["device"] for disk in storage["data_disks"])
    assert (first["stable_path"], second["stable_path"]) == (
        "/dev/disk/by-id/nvme-eui.01",
        "/dev/disk/by-id/nvme-eui.02",
    )
    assert "/dev/disk/azure/data/by-lun/0" in storage["contradictions"][0]["message"]


def test_local_disks_have_their_index_and_name_from_links(tmp_path: Path) -> None:
    first, second = paired(tmp_path, GUESTS["v6, local disks that are not data disks"])["local_disks"]
    assert (first["index"], first["name"], second["index"]) == (1, "nvme-440G-1", 2)
    assert first["model"] == "Microsoft NVMe Direct Disk v2"
    assert first["serial"]
    assert first["device"]["mounts"][0]["path"] == "/scratch"


def test_without_links_local_disks_have_no_index(tmp_path: Path) -> None:
    found = paired(tmp_path, GUESTS["disks by SCSI, local disks by NVMe"])["local_disks"]
    assert [(one["index"], one["name"]) for one in found] == [(None, None)] * 2


def test_what_imds_does_not_list_in_this_version_is_no_contradiction(tmp_path: Path) -> None:
    storage = paired(tmp_path, GUESTS["generation 1"], known=False)
    assert (storage["data_disks"], storage["contradictions"]) == ([], [])
    assert path_of(storage["os_disk"]["device"]) == "/dev/sda"


@pytest.mark.parametrize("lun", ["", None, "x", "-1"])
def test_a_disk_without_a_lun_has_no_device(tmp_path: Path, lun: Any) -> None:
    profile = listed()
    profile["dataDisks"] = [{"lun": lun}]
    storage = paired(tmp_path, GUESTS["generation 1"]._replace(listed=profile))
    assert storage["data_disks"][0]["device"] is None


def test_a_lun_that_imds_lists_twice_is_nobodys(tmp_path: Path) -> None:
    storage = paired(tmp_path, GUESTS["generation 1"]._replace(listed=listed(0, 0)))
    assert [disk["device"] for disk in storage["data_disks"]] == [None, None]


@pytest.mark.parametrize(
    ("told", "mib", "contradicts"),
    [
        ("30", 30 * GIB, False),
        ("30", 30 * GIB + 1, False),
        ("30", 29 * GIB + 1, False),
        ("30", 29 * GIB, True),
        ("30", 31 * GIB + 1, True),
        ("", 29 * GIB, False),
        ("many", 29 * GIB, False),
        ("0", 29 * GIB, False),
    ],
)
def test_sizes_are_compared_in_whole_gib(tmp_path: Path, told: str, mib: int, contradicts: bool) -> None:
    guest = Guest(listed(diskSizeGB=told), [{"device": "sda", "controller": "scsi0", "size_mib": mib}])
    storage = paired(tmp_path, guest)
    assert bool(storage["contradictions"]) == contradicts
    assert storage["os_disk"]["device"]["confidence"] == ("guessed" if contradicts else "exact")


# --- what can't be read -----------------------------------------------------------------------------------------------


def _extra(device: str, lun: int) -> dict[str, Any]:
    return {"device": device, "controller": "scsi1", "lun": lun}


def refused(root: Path) -> str:
    with pytest.raises(disks.UnreadableError) as caught:
        block_devices.read(str(root))
    assert caught.value.code in disks.UNREADABLE
    return caught.value.code


def test_nothing_there(tmp_path: Path) -> None:
    assert refused(tmp_path) == "unreadable"


def test_an_unreadable_sys(tmp_path: Path) -> None:
    written(tmp_path, GUESTS["generation 1"])
    os.rename(tmp_path / "sys" / "dev", tmp_path / "sys" / "hidden")
    assert refused(tmp_path) == "unreadable"


def test_a_container_that_sees_its_hosts_sys(tmp_path: Path) -> None:
    guest = GUESTS["generation 1"]
    written(tmp_path, guest._replace(disks=[{**disk, "node": False} for disk in guest.disks], mounts=[]))
    assert refused(tmp_path) == "no_device_nodes"


def test_a_container_that_was_given_one_disk(tmp_path: Path) -> None:
    """The others are there, though not for this container, so nothing contradicts."""
    guest = GUESTS["generation 1"]
    hidden = [{**disk, "node": False} for disk in guest.disks if disk["device"] != "sdc"]
    more = [_extra("sde", 2), {**_extra("sdf", 3), "node": False}]
    shown = [*hidden, *(disk for disk in guest.disks if disk["device"] == "sdc"), *more]
    storage = paired(tmp_path, guest._replace(disks=shown, mounts=[], listed=listed(0, 1, 2)))
    assert [path_of(disk["device"]) for disk in storage["data_disks"]] == ["/dev/sdc", None, "/dev/sde"]
    assert (storage["os_disk"]["device"], storage["contradictions"]) == (None, [])


@pytest.mark.parametrize(
    "disk",
    [
        {"device": "vda", "controller": "virtio"},
        {"device": "sda", "controller": "scsi-unknown"},
        {"device": "nvme0n1", "controller": "nvme-unknown"},
    ],
    ids=["virtio", "Hyper-V", "NVMe"],
)
def test_disks_of_somebody_else_only(tmp_path: Path, disk: dict[str, Any]) -> None:
    written(tmp_path, Guest(listed(), [disk]))
    assert refused(tmp_path) == "no_azure_disks"


def test_a_link_in_no_known_encoding(tmp_path: Path) -> None:
    root = Path(written(tmp_path, GUESTS["generation 1"]))
    os.symlink("../../sdc", os.fsencode(root / "dev" / "disk" / "by-path") + b"/\xff")
    found, _holds_root = block_devices.read(str(root))
    (disk,) = (disk for disk in found if disk.name == "sdc")
    assert "/dev/disk/by-path/\ufffd" in disk.links


# --- any guest, any document ------------------------------------------------------------------------------------------

CONTROLLERS = [
    *("{00000000-0000-8899-0000-000000000000}", "{00000000-0001-8899-0000-000000000000}", "{somebody's}"),
    *(f"{{f8b3781{letter}-1e82-4818-a1c3-63d806ec15bb}}" for letter in "abcd"),
    disks.REMOTE_NVME,
    *disks.LOCAL_NVME,
]


@st.composite
def any_disks(draw: st.DrawFn) -> list[disks.Disk]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        disk = disks.Disk(f"disk{number}", "")
        disk.controller = draw(st.sampled_from(CONTROLLERS))
        disk.unit = draw(st.integers(0, 4))
        disk.certain = draw(st.booleans())
        disk.size = draw(st.sampled_from([0, 1 << 30, (32 << 30) + 1]))
        disk.members = {disk.name, draw(st.sampled_from(["dm-0", "dm-1"]))}
        found.append(disk)
    return found


LUNS = st.sampled_from(["0", "1", "2", "3", "", "x", 1, None])
SIZES = st.sampled_from(["1", "32", "", "x", None])
PROFILES = st.fixed_dictionaries(
    {
        "dataDisks": st.lists(st.fixed_dictionaries({"lun": LUNS, "diskSizeGB": SIZES}), max_size=5),
        "osDisk": st.fixed_dictionaries({"diffDiskSettings": st.sampled_from([{"option": "Local"}, {}, "", ["x"]])}),
    }
)


@given(any_disks(), PROFILES, st.sampled_from([None, "dm-0", "disk0"]), st.booleans())
def test_no_device_is_given_twice(found: list[disks.Disk], profile: Any, root: str | None, known: bool) -> None:
    storage = facts.build({"compute": {"storageProfile": profile}})[0]["storage"]
    disks.pair(storage, found, root, known)
    assert json.loads(json.dumps(storage, allow_nan=False)) == storage
    paths = [device["path"] for device in devices(storage)]
    assert len(paths) == len(set(paths))
    for disk in storage["data_disks"]:
        if disk["device"]:
            (own,) = (one for one in found if one.path == disk["device"]["path"])
            assert disks.role_of(own)[:2] == ("data", disk["lun"])


def test_another_system(tmp_path: Path, monkeypatch: Any) -> None:
    written(tmp_path, GUESTS["generation 1"])
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert refused(tmp_path) == "unsupported_system"


@pytest.mark.parametrize("content", ["", "x", "-1"])
def test_files_that_make_no_sense(tmp_path: Path, content: str) -> None:
    guest = GUESTS["NVMe, namespace IDs are not those of the names"]
    root = Path(written(tmp_path, guest))
    for file in (root / "sys").rglob("*"):
        if file.is_file() and not file.is_symlink() and file.name in ("size", "nsid", "wwid", "serial"):
            file.write_text(content)
    found, _holds_root = block_devices.read(str(root))
    assert {(disk.size, disk.certain) for disk in found} == {(0, False)}


def test_few_files_are_opened(tmp_path: Path, monkeypatch: Any) -> None:
    """Of each of 64 disks the size and two identifiers, besides what all share."""
    guest = Guest(listed(), [{"device": f"nvme0n{number}", "controller": "nvme"} for number in range(1, 66)])
    root = written(tmp_path, guest)
    opened: list[str] = []
    real = os.open

    def count(path: str, flags: int) -> int:
        opened.append(path)
        return real(path, flags)

    monkeypatch.setattr(os, "open", count)
    found, _holds_root = block_devices.read(root)
    assert len(found) == 65
    assert len(opened) <= 3 * 65 + 2
