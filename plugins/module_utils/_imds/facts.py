# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance document -> facts: typed, redacted, and of the same shape for every VM, version and failure. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable

from . import blank, tags
from .fields import BOOLEANS, CLOUDS, CONTAINERS, FIELDS, GUEST_FACTS, INTEGERS, NIC
from .primary import answered_interface


class Context:
    """What the facts need besides the document.

    nics: MAC (lower case, colons) -> the guest's interface, the keys of fields.NIC; default_device: the interface of
    the default route; local_address: the address that IMDS answered, which is the primary one because it answers no
    other.
    """

    def __init__(
        self,
        nics: Mapping[str, Mapping[str, Any]] | None = None,
        default_device: str | None = None,
        local_address: str | None = None,
        include_user_data: bool = False,
        include_public_keys: bool = False,
    ) -> None:
        self.nics = nics or {}
        self.default_device = default_device
        self.local_address = local_address
        self.include_user_data = include_user_data
        self.include_public_keys = include_public_keys


NO_CONTEXT = Context()


def build(document: Mapping[str, Any], context: Context = NO_CONTEXT) -> tuple[dict[str, Any], list[str]]:
    """(facts, warnings). An empty document gives every documented fact as null, {} or []."""
    facts: dict[str, Any] = {}
    network = Network(lookup(document, Network.source), context)
    for field in FIELDS:
        value = network if field.source == Network.source else lookup(document, field.source)
        blank.put(facts, field.fact, CONVERTERS[field.kind](value, context))
    for fact in GUEST_FACTS:
        blank.put(facts, fact, [])
    if not facts["scale_set"] and facts["scale_set_id"]:
        facts["scale_set"] = facts["scale_set_id"].rstrip("/").rpartition("/")[2] or None
    warnings = _fall_back_to_tags_string(facts, document)
    _pass_on_unknown(facts, document, "")
    return facts, warnings


def snake(name: str) -> str:
    """camelCase -> snake_case: diskSizeGB -> disk_size_gb."""
    if name not in _SNAKES:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
        _SNAKES[name] = re.sub(r"[^0-9a-z]+", "_", words.lower()).strip("_") or "_"
    return _SNAKES[name]


# What snake has found: the keys of many disks are the same.
_SNAKES: dict[str, str] = {}


def from_load_balancer(document: Mapping[str, Any], private_ip: str | None) -> dict[str, str | None]:
    """public_ip and public_ip_source: the address under which a load balancer shows this VM."""
    for entry in _objects(lookup(document, "loadbalancer.publicIpAddresses")):
        address = _string(entry.get("frontendIpAddress"))
        if address and private_ip and entry.get("privateIpAddress") == private_ip:
            return {"public_ip": address, "public_ip_source": "load_balancer"}
    return {"public_ip": None, "public_ip_source": None}


def lookup(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, dict) else None
    return document


_HANDLED = {field.source for field in FIELDS} | {"compute.tags"}


def _pass_on_unknown(facts: dict[str, Any], node: Mapping[str, Any], source: str) -> None:
    """Keys that the table does not name, by the mechanical rule."""
    target = lookup(facts, CONTAINERS[source]) if CONTAINERS.get(source) else facts
    unknown = []
    for key, value in node.items():
        path = f"{source}.{key}" if source else key
        if not key or "." in key:
            path = "?"  # only looks like a path of the table
        if path in CONTAINERS and (isinstance(value, dict) or not value):
            _pass_on_unknown(facts, value or {}, path)
        elif path in _SHOWN_IN_PART and _is_shown([value] if value else [], _SHOWN_IN_PART[path]):
            continue
        elif path not in _HANDLED:
            unknown.append((snake(key), _plain(value)))
    _add(target, unknown, RESERVED if target is facts else ())


# Names that the module itself uses beside the facts.
RESERVED = {"available", "reason", "remedy", "api_version", "meta"}
# Objects of which the facts use only these keys. If one has other keys, the whole object is passed on as well.
_SHOWN_IN_PART = {"compute.virtualMachineScaleSet": {"id"}}
_ADDRESS_KEYS = {"privateIpAddress", "publicIpAddress"}


def _is_shown(entries: Any, known: set[str]) -> bool:
    """Whether a list holds nothing but objects with known keys, so that facts made of these show all of it."""
    return not entries or (
        isinstance(entries, list) and all(isinstance(entry, dict) and set(entry) <= known for entry in entries)
    )


def _add(target: dict[str, Any], named: Iterable[tuple[str, Any]], reserved: Collection[str] = ()) -> None:
    """Set facts under names that nothing else has, so that nothing is lost.

    imds_ goes before a name that is taken, and a number behind it where it is taken more often.
    """
    taken: dict[str, int] = {}
    for name, value in named:
        unique = name
        while unique in target or unique in reserved:
            taken[name] = taken.get(name, 0) + 1
            unique = f"imds_{name}" if taken[name] == 1 else f"imds_{name}_{taken[name]}"
        target[unique] = value


# --- values -------------------------------------------------------------------------------------------------------


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _only(kind: type, value: Any) -> Any:
    """A fact that is documented with one type never has another."""
    return value if isinstance(value, kind) and isinstance(value, bool) == (kind is bool) else None


def _integer(value: Any) -> Any:
    """Digits become a number; anything else is kept as it is rather than lost."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else _plain(value)


def _boolean(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value or None) if isinstance(value, str) else _plain(value)


def _plain(value: Any, key: str = "") -> Any:
    """The mechanical rule: names in snake_case, "" as null, known numbers and booleans typed, the rest as sent."""
    if isinstance(value, dict):
        plain: dict[str, Any] = {}
        _add(plain, ((snake(name), _plain(inner, name)) for name, inner in value.items()))
        return plain
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, str) and key in INTEGERS:
        return _integer(value) if value else None
    if isinstance(value, str) and key in BOOLEANS:
        return _boolean(value)
    return None if value == "" else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, dict)]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _environment(value: Any) -> str | None:
    """The cloud's name in its usual spelling; samples also show it in upper case."""
    name = _string(value)
    return next((cloud for cloud in CLOUDS if name and cloud.lower() == name.lower()), name)


def _endpoints(value: Any) -> dict[str, str | None]:
    return {**blank.endpoints(), **CLOUDS.get(_environment(value) or "", {})}


def _location(value: Any) -> str | None:
    """A region's name in lower case without spaces, which is how Azure compares them."""
    name = _string(value)
    return name.replace(" ", "").lower() if name else None


def _disk(value: Any) -> dict[str, Any]:
    """A disk, with room for the guest's device."""
    facts: dict[str, Any] = {"device": None}
    _add(facts, _plain(_dict(value)).items())
    return facts


def _disks(value: Any) -> list[Any]:
    disks = [_disk(disk) for disk in _objects(value)]
    return sorted(disks, key=lambda disk: disk["lun"] if isinstance(disk.get("lun"), int) else -1)


# --- secrets and keys ---------------------------------------------------------------------------------------------


def _blob(value: Any, context: Context) -> dict[str, Any]:
    """User data: presence, decoded length in bytes and SHA-256; its Base64 text only on request."""
    text = _string(value)
    if not text:
        return blank.blob()
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = text.encode("utf-8", "replace")
    return {
        "present": True,
        "length": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "base64": text if context.include_user_data else None,
    }


def _public_keys(value: Any, context: Context) -> list[dict[str, Any]]:
    return [_public_key(key, context) for key in _objects(value)]


def _public_key(key: dict[str, Any], context: Context) -> dict[str, Any]:
    data = _string(key.get("keyData"))
    words = (data or "").split()
    facts = {
        "type": words[0] if words else None,
        "path": _string(key.get("path")),
        "fingerprint": _fingerprint(data or ""),
        "key_data": data if context.include_public_keys else None,
    }
    _add(facts, ((snake(name), _plain(value)) for name, value in key.items() if name not in ("keyData", "path")))
    return facts


# A key's type and its Base64 text, which may continue after a line break.
_KEY = re.compile(r"\s*\S+[ \t]+((?:[A-Za-z0-9+/][\r\n]*)+(?:=[\r\n]*){0,2})")


def _fingerprint(key: str) -> str | None:
    """As ssh-keygen -lf prints it. Azure wraps the keys that it generates at 64 columns, with CRLF."""
    found = _KEY.match(key)
    for text in (re.sub("[\r\n]", "", found[1]), found[1].split()[0]) if found else ():
        try:
            digest = hashlib.sha256(base64.b64decode(text, validate=True)).digest()
        except (binascii.Error, ValueError):
            continue  # perhaps two keys, one after the other
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")
    return None


# --- network ------------------------------------------------------------------------------------------------------


def _mac(value: Any) -> str | None:
    """000D3AF806EC -> 00:0d:3a:f8:06:ec, the way the system and Ansible write it."""
    digits = re.sub("[^0-9a-f]", "", (_string(value) or "").lower())
    return ":".join(re.findall("..", digits)) if len(digits) == 12 else _string(value)


class Network:
    """The interfaces, built once, and which of them is the primary one.

    primary: {} where there is no interface; private_ip: the primary address of that interface, or None.
    """

    source = "network.interface"

    def __init__(self, value: Any, context: Context) -> None:
        self.interfaces = [_interface(interface, context) for interface in _objects(value)]
        self.primary = _primary(self.interfaces, context)
        private: list[str] = self.primary.get("private_ip_addresses", [])
        self.private_ip = context.local_address if context.local_address in private else next(iter(private), None)
        self.public_ip = next(iter(self.primary.get("public_ip_addresses", [])), None)


def _interface(interface: dict[str, Any], context: Context) -> dict[str, Any]:
    four, six = _dict(interface.get("ipv4")), _dict(interface.get("ipv6"))
    mac = _mac(interface.get("macAddress"))
    facts = {
        "mac_address": mac,
        "private_ip_addresses": _addresses(four, "privateIpAddress"),
        "public_ip_addresses": _addresses(four, "publicIpAddress"),
        "ipv6_addresses": _addresses(six, "privateIpAddress"),
        "public_ipv6_addresses": _addresses(six, "publicIpAddress"),
        "subnets": [_plain(subnet) for subnet in _objects(four.get("subnet"))],
        **dict.fromkeys(NIC),
        **context.nics.get(mac or "", {}),
    }
    for prefix, node, known in (
        ("", interface, {"ipv4", "ipv6", "macAddress"}),
        ("ipv4_", four, {"subnet"}),
        ("ipv6_", six, set()),
    ):
        unknown = []
        for key, value in node.items():
            shown = key == "ipAddress" and prefix and _is_shown(value, _ADDRESS_KEYS)
            if key not in known and not shown:
                unknown.append((prefix + snake(key), _plain(value)))
        _add(facts, unknown)
    return facts


def _addresses(family: dict[str, Any], key: str) -> list[str]:
    return [entry[key] for entry in _objects(family.get("ipAddress")) if _string(entry.get(key))]


def _primary(interfaces: list[dict[str, Any]], context: Context) -> dict[str, Any]:
    """The interface that IMDS answered on, else the one of the default route, else the first; {} where there is none.

    IMDS lists interfaces in no particular order, so the first says nothing.
    """
    place = answered_interface([one["private_ip_addresses"] for one in interfaces], context.local_address)
    if place is not None:
        return interfaces[place]
    for interface in interfaces:
        if context.default_device and interface["device"] == context.default_device:
            return interface
    return interfaces[0] if interfaces else {}


# --- tags ---------------------------------------------------------------------------------------------------------


def _fall_back_to_tags_string(facts: dict[str, Any], document: Mapping[str, Any]) -> list[str]:
    """Versions before 2019-06-04 have no tagsList, only one string that cannot be split reliably."""
    compute = _dict(document.get("compute"))
    if isinstance(compute.get("tagsList"), list) or not _string(compute.get("tags")):
        return []
    facts["tags"], ambiguous = tags.from_string(compute["tags"])
    facts["tags_list"] = [{"name": name, "value": value or None} for name, value in facts["tags"].items()]
    if not ambiguous:
        return []
    return [
        "This API version sends the tags as one string, which can be split in several ways; use 2019-06-04 or newer."
    ]


CONVERTERS: dict[str, Callable[[Any, Context], Any]] = {
    "string": lambda value, _context: tags.text(value) or None,
    "integer": lambda value, _context: _only(int, _integer(value)),
    "boolean": lambda value, _context: _only(bool, _boolean(value)),
    "object": lambda value, _context: _plain(_dict(value)),
    "list": lambda value, _context: _plain(_objects(value)),
    "disk": lambda value, _context: _disk(value),
    "disks": lambda value, _context: _disks(value),
    "location": lambda value, _context: _location(value),
    "environment": lambda value, _context: _environment(value),
    "endpoints": lambda value, _context: _endpoints(value),
    "tags": lambda value, _context: tags.from_list(value),
    "public_keys": _public_keys,
    "blob": _blob,
    "interfaces": lambda network, _context: network.interfaces,
    "primary": lambda network, _context: network.primary,
    "private_ip": lambda network, _context: network.private_ip,
    "public_ip": lambda network, _context: network.public_ip,
    "public_ip_source": lambda network, _context: "instance" if network.public_ip else None,
}
