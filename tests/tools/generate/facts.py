# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure_imds_facts returns, as its RETURN documents it. The samples are what an emulated VM makes of it."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible_collections.imds.azure.plugins.module_utils._imds import facts, fields

sys.path.append(str(Path(__file__).parents[3] / "roles" / "azure_imds_emulator" / "files"))

from azure_imds_emulator import vms

_WIDTH = 120


class Part(NamedTuple):
    """A key of a dictionary, or of each dictionary in a list. parts: its own keys."""

    name: str
    kind: Kind
    text: str
    parts: Sequence[Part] = ()


class Kind(NamedTuple):
    """How the documentation of modules and the pages call the type of a kind of fact."""

    module: str
    page: str


_STRING = Kind("str", "string")
_DICTIONARY = Kind("dict", "dictionary")
_LIST = Kind("list", "list")
_STRINGS = Kind("list", "list of strings")
_INTEGER = Kind("int", "integer")
_BOOLEAN = Kind("bool", "boolean")
KINDS = {
    "blob": _DICTIONARY,
    "boolean": _BOOLEAN,
    "disk": _DICTIONARY,
    "disks": _LIST,
    "endpoints": _DICTIONARY,
    "environment": _STRING,
    "guest": _LIST,
    "integer": _INTEGER,
    "interfaces": _LIST,
    "list": _LIST,
    "location": _STRING,
    "object": _DICTIONARY,
    "primary": _DICTIONARY,
    "private_ip": _STRING,
    "public_ip": _STRING,
    "public_ip_source": _STRING,
    "public_keys": _LIST,
    "string": _STRING,
    "tags": _DICTIONARY,
}

_MOUNTS = (
    Part("path", _STRING, "Mount point."),
    Part("src", _STRING, "What is mounted there, as the kernel names it."),
    Part("fstype", _STRING, "File system."),
)
_PARTITIONS = (
    Part("path", _STRING, "Path of the partition, such as C(/dev/sdc1)."),
    Part("stable_path", _STRING, "The best link to it that stays the same over boots; V(null) where there is none."),
    Part("number", _INTEGER, "Number of the partition."),
    Part("size_bytes", _INTEGER, "Size in bytes."),
)
_DEVICE = (
    Part("path", _STRING, "Path of the device. On Linux such as C(/dev/sdc), which may change with the next boot."),
    Part(
        "stable_path", _STRING, "On Linux, the best link that stays the same over boots; V(null) where there is none."
    ),
    Part("links", _STRINGS, "On Linux, all links to the device below C(/dev/disk), sorted."),
    Part("wwid", _STRING, "On Linux, the unique ID of the disk as the kernel shows it."),
    Part("size_bytes", _INTEGER, "On Linux, the size in bytes."),
    Part("transport", _STRING, "On Linux, V(scsi) or V(nvme)."),
    Part("partitions", _LIST, "On Linux, the partitions.", _PARTITIONS),
    Part(
        "mounts",
        _LIST,
        "On Linux, where the disk, its partitions, and what stands on them, such as LVM or RAID, are mounted.",
        _MOUNTS,
    ),
    Part("holders", _STRINGS, "On Linux, the devices that stand on the disk or its partitions, such as LVM or RAID."),
    Part("number", _INTEGER, "On Windows, the number of the disk."),
    Part("unique_id", _STRING, "On Windows, the unique ID of the disk."),
    Part("partition_style", _STRING, "On Windows, V(RAW), V(MBR) or V(GPT)."),
    Part("offline", _BOOLEAN, "On Windows, whether the disk is offline."),
    Part("drive_letters", _STRINGS, "On Windows, the letters of its volumes."),
    Part(
        "confidence",
        _STRING,
        "V(exact), or V(guessed) where a rule is uncertain or something contradicts it. Never overwrite a disk that is "
        "only guessed.",
    ),
)
_TEXT = "The guest's device; V(null) where it has none, or where C(meta.disks) says why disks could not be read."
_SAME = f"{_TEXT} The keys are those of RV(ansible_facts.azure_imds.storage.data_disks[].device)."

# Kinds, or facts, that have parts of their own.
PARTS: dict[str, Sequence[Part]] = {
    "endpoints": (
        Part("resource_manager", _STRING, "URL of Azure Resource Manager."),
        Part("active_directory", _STRING, "URL where tokens are issued."),
        Part("key_vault_suffix", _STRING, "Domain of the key vaults."),
        Part("storage_suffix", _STRING, "Domain of the storage accounts."),
    ),
    "interfaces": (
        Part("mac_address", _STRING, "MAC address, in lower case with colons."),
        Part("private_ip_addresses", _LIST, "Private IPv4 addresses, the primary one first."),
        Part("public_ip_addresses", _LIST, "Public IPv4 addresses."),
        Part("ipv6_addresses", _LIST, "Private IPv6 addresses."),
        Part("public_ipv6_addresses", _LIST, "Public IPv6 addresses."),
        Part("subnets", _LIST, "Subnets, each C(address) and C(prefix), a number."),
        Part("device", _STRING, "The guest's interface with this MAC address; V(null) where there is none."),
        Part("driver", _STRING, "Driver of that interface, such as V(hv_netvsc), V(netvsc) or V(mana)."),
        Part(
            "accelerated",
            _BOOLEAN,
            "Whether traffic bypasses the host now, because a virtual function (VF) is bonded to the interface, or "
            "because it is itself one. V(null) where the guest has no such interface.",
        ),
        Part("vf_device", _STRING, "The VF with the same MAC address, bonded or not; V(null) where there is none."),
        Part("vf_driver", _STRING, "Driver of the VF, such as V(mlx5_core)."),
    ),
    "disk": (Part("device", _DICTIONARY, _SAME),),
    "disks": (Part("device", _DICTIONARY, _TEXT, _DEVICE),),
    "storage.local_disks": (
        Part("index", _INTEGER, "Azure's number of the disk; V(null) unless the links of azure-vm-utils tell."),
        Part("name", _STRING, "Azure's name of the disk; V(null) unless the links of azure-vm-utils tell."),
        Part("model", _STRING, "Model."),
        Part("serial", _STRING, "Serial number."),
        Part("device", _DICTIONARY, _SAME),
    ),
    "storage.contradictions": (
        Part("code", _STRING, "What contradicts, such as V(missing_device), V(unknown_to_imds) or V(size_mismatch)."),
        Part("lun", _INTEGER, "LUN of the data disk, V(null) for others."),
        Part("path", _STRING, "The device, V(null) where there is none."),
        Part("message", _STRING, "The contradiction in words."),
    ),
}

# VMs whose facts are the samples: of several that have a fact, the first.
_PROFILES = ("linux", "zonal", "spot", "scale_set", "scale_set_flexible", "windows")
# Facts whose value depends on what is sent beside it, or is too long to read.
_WITHOUT_SAMPLE = {"primary"}
_SHORTENED = {"object", "disk", "disks"}


def descriptions() -> dict[str, str]:
    """What the table says of each fact, and of each dictionary that holds some, in its order."""
    found: dict[str, str] = {}
    for row in fields.TABLE.splitlines():
        if row.startswith(" "):
            fact = list(found)[-1]
            found[fact] = f"{found[fact]} {row.strip()}".strip()
        else:
            found[row.split()[0]] = ""
    return found


def returned() -> list[str]:
    """The entries below contains of azure_imds that the table of fields stands for."""
    kinds = {field.fact: field.kind for field in fields.FIELDS} | dict.fromkeys(fields.GUEST_FACTS, "guest")
    samples = _samples()
    lines: list[str] = []
    for fact, description in descriptions().items():
        *parents, name = fact.split(".")
        margin = "    " * len(parents)
        kind = kinds.get(fact)
        parts = PARTS.get(fact, PARTS.get(kind or "", ()))
        entry = [f"{name}:", *(f"  {line}" for line in _entry(description, kind, parts, samples.get(fact)))]
        lines += [margin + line for line in entry]
    return lines


def _entry(description: str, kind: str | None, parts: Sequence[Part], sample: Any) -> list[str]:
    if not kind:
        return [*_described(description), *_typed(_DICTIONARY, sample), "contains:"]
    lines = [*_described(description), *_typed(KINDS[kind], sample, bool(parts))]
    if not parts:
        return [*lines, *_sample(kind, sample)]
    example = sample[0] if isinstance(sample, list) else sample
    whole = _sample(kind, sample) if kind in _SHORTENED else []
    return [*lines, *whole, "contains:", *_contained(parts, example if not whole else None)]


def _contained(parts: Sequence[Part], example: Any) -> list[str]:
    lines = []
    for name, kind, text, inner in parts:
        sample = example.get(name) if example else None
        entry = [*_described(text), *_typed(kind, sample, bool(inner)), *_sample("", sample)]
        if inner:
            entry += ["contains:", *_contained(inner, None)]
        lines += [f"  {name}:", *(f"    {line}" for line in entry)]
    return lines


def _typed(kind: Kind, sample: Any, has_parts: bool = False) -> list[str]:
    lines = ["returned: always", f"type: {kind.module}"]
    if kind.module == "list":
        lines.append(f"elements: {'dict' if has_parts or (sample and isinstance(sample[0], dict)) else 'str'}")
    return lines


def _sample(kind: str, sample: Any) -> list[str]:
    if sample in (None, [], {}) or kind in _WITHOUT_SAMPLE:
        return []
    if kind in _SHORTENED:
        sample = [_short(entry) for entry in sample[:1]] if isinstance(sample, list) else _short(sample)
    if not isinstance(sample, (dict, list)):
        return [f"sample: {_scalar(sample)}"]
    line = f"sample: {json.dumps(sample)}"
    if len(line) <= _WIDTH:
        return [line]
    block = yaml.safe_dump(sample, sort_keys=False, width=float("inf")).splitlines()
    return ["sample:", *(f"  {line}" for line in block)]


def _described(text: str) -> list[str]:
    line = f"description: {_scalar(text)}"
    if len(line) <= _WIDTH:
        return [line]
    return ["description: >-", *(f"  {line}" for line in textwrap.wrap(text, _WIDTH - 2, break_on_hyphens=False))]


def _short(value: dict[str, Any]) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if inner is not None and not isinstance(inner, (dict, list))}


def _scalar(value: object) -> str:
    """A value as YAML, on one line."""
    return yaml.safe_dump(value, width=float("inf")).removesuffix("...\n").strip()


def _samples() -> dict[str, Any]:
    """By fact, the first value that one of the VMs has; a fact that none of them has is not in it."""
    found: dict[str, Any] = {}
    for profile in _PROFILES:
        document = vms.build({"name": "web-1", "profile": profile}).document
        blank, _warnings = facts.build(document)
        nic = dict(zip(fields.NIC, ("eth0", "hv_netvsc", True, "enP1s1", "mlx5_core")))
        nics = dict.fromkeys((entry["mac_address"] for entry in blank["network"]["interfaces"]), nic)
        built, _warnings = facts.build(document, facts.Context(nics=nics))
        for field in fields.FIELDS:
            value: Any = built
            for name in field.fact.split("."):
                value = value[name]
            if value not in (None, [], {}):
                found.setdefault(field.fact, value)
    return found
