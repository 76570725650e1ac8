# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What azure_imds_facts returns, as its RETURN documents it. The samples are what an emulated VM makes of it."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible_collections.imds.azure.plugins.module_utils._imds import facts, fields

sys.path.append(str(Path(__file__).parents[3] / "roles" / "azure_imds_emulator" / "files"))

from azure_imds_emulator import vms

_WIDTH = 120


class Kind(NamedTuple):
    """How the documentation of modules and the pages call the type of a kind of fact."""

    module: str
    page: str


_STRING = Kind("str", "string")
_DICTIONARY = Kind("dict", "dictionary")
_LIST = Kind("list", "list")
KINDS = {
    "blob": _DICTIONARY,
    "boolean": Kind("bool", "boolean"),
    "disks": _LIST,
    "endpoints": _DICTIONARY,
    "environment": _STRING,
    "integer": Kind("int", "integer"),
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

# Kinds that have parts of their own: name, type, description.
PARTS = {
    "endpoints": (
        ("resource_manager", _STRING, "URL of Azure Resource Manager."),
        ("active_directory", _STRING, "URL where tokens are issued."),
        ("key_vault_suffix", _STRING, "Domain of the key vaults."),
        ("storage_suffix", _STRING, "Domain of the storage accounts."),
    ),
    "interfaces": (
        ("mac_address", _STRING, "MAC address, in lower case with colons."),
        ("private_ip_addresses", _LIST, "Private IPv4 addresses, the primary one first."),
        ("public_ip_addresses", _LIST, "Public IPv4 addresses."),
        ("ipv6_addresses", _LIST, "Private IPv6 addresses."),
        ("public_ipv6_addresses", _LIST, "Public IPv6 addresses."),
        ("subnets", _LIST, "Subnets, each C(address) and C(prefix), a number."),
        ("device", _STRING, "The guest's interface with this MAC address; V(null) where there is none."),
    ),
}

# VMs whose facts are the samples: of several that have a fact, the first.
_PROFILES = ("linux", "zonal", "spot", "scale_set", "scale_set_flexible", "windows")
# Facts whose value depends on what is sent beside it, or is too long to read.
_WITHOUT_SAMPLE = {"primary"}
_SHORTENED = {"object", "disks"}


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
    kinds = {field.fact: field.kind for field in fields.FIELDS}
    samples = _samples()
    lines: list[str] = []
    for fact, description in descriptions().items():
        *parents, name = fact.split(".")
        margin = "    " * len(parents)
        kind = kinds.get(fact)
        entry = [f"{name}:", *(f"  {line}" for line in _entry(description, kind, samples.get(fact)))]
        lines += [margin + line for line in entry]
    return lines


def _entry(description: str, kind: str | None, sample: Any) -> list[str]:
    made = KINDS[kind] if kind else _DICTIONARY
    lines = [*_described(description), *_typed(made, sample)]
    if not kind:
        return [*lines, "contains:"]
    if kind not in PARTS:
        return [*lines, *_sample(kind, sample)]
    lines.append("contains:")
    example = sample[0] if isinstance(sample, list) else sample
    for name, part, text in PARTS[kind]:
        entry = [*_described(text), *_typed(part, example[name]), *_sample("", example[name])]
        lines += [f"  {name}:", *(f"    {line}" for line in entry)]
    return lines


def _typed(kind: Kind, sample: Any) -> list[str]:
    lines = ["returned: always", f"type: {kind.module}"]
    if kind is _LIST:
        lines.append(f"elements: {'dict' if sample and isinstance(sample[0], dict) else 'str'}")
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
        devices = {entry["mac_address"]: "eth0" for entry in blank["network"]["interfaces"]}
        built, _warnings = facts.build(document, facts.Context(devices=devices))
        for field in fields.FIELDS:
            value: Any = built
            for name in field.fact.split("."):
                value = value[name]
            if value not in (None, [], {}):
                found.setdefault(field.fact, value)
    return found
