# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated VMs: which VM a source address belongs to, and each VM's instance document.

A VM is given as an object; only the name is required:

    {"name": "web1",
     "sources": ["10.1.0.4"],              addresses it asks from; the first is the primary one of its primary NIC
     "secondary_addresses": ["10.1.0.5"],  addresses that get no answer, as on Azure
     "profile": "zonal",
     "overrides": {"compute": {...}},      merged over the profile's document; lists replace lists
     "extra": ["compute.newField"],        fields in overrides that no version or profile has
     "classic": false, "limiter": true, "retry_after": 5, "loadbalancer": {...} or null,
     "shuffle_interfaces": false,          the primary interface is the last one of the document, not the first
     "scheduled_events": {"domain": "d"},  with whom it is maintained, and more (`event_spec.SWITCHES`)
     "attested": {"altered": true},        what is wrong with its attested documents (`attested_spec.py`)
     "identity": {"system_assigned": true}, its managed identities (`identity_spec.py`)
     "arc": false}                          true: no VM but an Azure Arc machine, which IMDS does not know
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import json
import string
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from . import attested_spec, checks, event_spec, identity_spec, overrides
from .identity_spec import Managed
from .versions import INTRODUCED

PROFILES = Path(__file__).parent / "profiles"
LONGEST_RETRY_AFTER = 3600  # seconds
MOST = 1_000  # VMs
ARC_PROVIDER = "Microsoft.HybridCompute"
DEFAULT_VMS: list[dict[str, Any]] = [{"name": "emulated-vm"}]


@dataclass(frozen=True)
class Vm:
    """One VM. ``document`` is what the newest api-version shows; a VM without ``sources`` answers all strangers.

    ``compute`` is who the VM is, also where ``document`` does not say it because the VM is a classic one.
    """

    name: str
    sources: tuple[str, ...]
    secondary_addresses: frozenset[str]
    document: dict[str, Any]
    compute: dict[str, Any]
    classic: bool
    attested: Mapping[str, Any]
    scheduled_events: Mapping[str, Any]
    identity: Managed
    limiter: bool = True
    retry_after: Optional[int] = None
    loadbalancer: Optional[dict[str, Any]] = None
    arc: bool = False


def normal(address: str) -> str:
    """An address in canonical spelling, without a scope; IPv4 mapped into IPv6 as IPv4.

    :raises ValueError: for anything else
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def merged(base: Any, over: Any) -> Any:
    """``over`` laid over ``base``: objects key by key, everything else replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


def profile_names() -> list[str]:
    """The profiles there are."""
    return sorted(path.stem for path in PROFILES.glob("*.json"))


def load_profile(name: str) -> dict[str, Any]:
    """A profile merged over the one that it extends: ``document`` with placeholders, and ``options``.

    The profile that extends none has its document in layers, one for each version that brought something.
    """
    profile: dict[str, Any] = json.loads((PROFILES / f"{name}.json").read_text(encoding="utf-8"))
    if "extends" in profile:
        return dict(merged(load_profile(profile.pop("extends")), profile))
    document: dict[str, Any] = {}
    for version in sorted(profile["introduced"]):
        document = merged(document, profile["introduced"][version])
    # In the order in which the service sends its keys.
    return {"document": json.loads(json.dumps(document, sort_keys=True))}


def build(given: Mapping[str, Any], where: str = "vm") -> Vm:
    """The VM that an object describes.

    :raises InvalidInputError: if a field is wrong; its name comes after ``where``
    """
    given = {**given, **checks.mapping(f"{where}.options", given.get("options", {}))}
    given.pop("options", None)
    spec = checks.fields(where, given, FIELDS)
    if "name" not in spec:
        checks.fail(f"{where}.name", "is required")
    overrides.refuse_unknown(f"{where}.overrides", spec.get("overrides", {}), _known_fields(), spec.get("extra", ()))
    profile = load_profile(spec.get("profile", "linux"))
    sources = tuple(spec.get("sources", ()))
    secondary = tuple(spec.get("secondary_addresses", ()))
    document = _document(spec["name"], profile["document"], spec.get("overrides", {}), sources, secondary)
    options = {**_filled(profile.get("options", {}), {"private_ip": _private_ip(document)}), **spec}
    if options.get("shuffle_interfaces", False):
        document = _shuffled(document)
    compute = document.get("compute")
    classic = options.get("classic", False)
    if classic:
        document.pop("compute", None)
        if "identity" in options:
            checks.fail(f"{where}.identity", "does not go with classic: a classic VM has no managed identity")
    compute = compute if isinstance(compute, dict) else {}
    arc = options.get("arc", False)
    if arc:
        if options.get("identity", {}).get("user_assigned"):
            checks.fail(f"{where}.identity.user_assigned", "does not go with arc, which has one identity only")
        compute["provider"] = ARC_PROVIDER
        compute["resourceId"] = f"{_group(compute)}/providers/{ARC_PROVIDER}/machines/{compute.get('name', '')}"
    return Vm(
        name=spec["name"],
        sources=sources,
        secondary_addresses=frozenset(secondary),
        document=document,
        compute=compute,
        classic=classic,
        attested=options.get("attested", {}),
        scheduled_events=options.get("scheduled_events", {}),
        identity=identity_spec.managed(f"{where}.identity", options.get("identity", {}), _resource_id(compute)),
        limiter=options.get("limiter", True),
        retry_after=options.get("retry_after"),
        loadbalancer=options.get("loadbalancer"),
        arc=arc,
    )


@functools.lru_cache(maxsize=1)
def _known_fields() -> dict[str, set[str]]:
    """The keys of each object in the documents of all profiles, by its path."""
    return overrides.known_fields((load_profile(name)["document"] for name in profile_names()), INTRODUCED)


def _document(
    name: str, base: dict[str, Any], over: dict[str, Any], sources: tuple[str, ...], secondary: tuple[str, ...]
) -> dict[str, Any]:
    """The profile's document with this VM's own values, its addresses and the overrides."""
    compute = merged(base, over).get("compute")
    compute = compute if isinstance(compute, dict) else {}
    private = [address for address in (*sources, *secondary) if _is_private_ipv4(address)]
    digest = hashlib.sha256(name.encode()).hexdigest()
    values = {
        "name": name if compute.get("name") == "${name}" else compute.get("name", name),
        "resource_group": compute.get("resourceGroupName", ""),
        "subscription_id": compute.get("subscriptionId", ""),
        "vm_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.azure-imds-emulator")),
        "mac": f"000D3A{digest[:6].upper()}",
        "second_mac": f"000D3A{digest[38:44].upper()}",
        "host": digest[6:38],
    }
    document = _filled(base, values)
    if private:
        network = ipaddress.ip_network(f"{private[0]}/24", strict=False)
        ipv4 = document["network"]["interface"][0]["ipv4"]
        publics = [entry["publicIpAddress"] for entry in ipv4["ipAddress"]] + [""] * len(private)
        ipv4["ipAddress"] = [
            {"privateIpAddress": address, "publicIpAddress": public} for address, public in zip(private, publics)
        ]
        ipv4["subnet"] = [{"address": str(network.network_address), "prefix": str(network.prefixlen)}]
    document = merged(document, over)
    compute = document.get("compute")
    if isinstance(compute, dict) and "tags" not in compute and "tagsList" in compute:
        compute["tags"] = _tags(compute["tagsList"])
    return dict(document)


def _shuffled(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its interfaces in another order, the primary one last: their order means nothing on Azure."""
    network = document.get("network")
    interfaces = network.get("interface") if isinstance(network, dict) else None
    if not isinstance(network, dict) or not isinstance(interfaces, list):
        return document
    return {**document, "network": {**network, "interface": interfaces[::-1]}}


def _resource_id(compute: dict[str, Any]) -> str:
    """Whom a system-assigned identity belongs to: the VM, or the uniform scale set that it is an instance of."""
    default = f"{_group(compute)}/providers/Microsoft.Compute/virtualMachines/{compute.get('name', '')}"
    own = str(compute.get("resourceId") or default)
    scale_set, _separator, _instance = own.partition("/virtualMachines/")
    own = scale_set if "/virtualmachinescalesets/" in scale_set.lower() else own
    # As tokens spell it.
    return own.replace("/resourceGroups/", "/resourcegroups/", 1)


def _group(compute: dict[str, Any]) -> str:
    return f"/subscriptions/{compute.get('subscriptionId', '')}/resourceGroups/{compute.get('resourceGroupName', '')}"


def _private_ip(document: dict[str, Any]) -> str:
    """The primary private address of the VM, which its load balancer leads to; empty where overrides took it away."""
    try:
        return str(document["network"]["interface"][0]["ipv4"]["ipAddress"][0]["privateIpAddress"])
    except (LookupError, TypeError):
        return ""


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    """A copy of the node with every ``${placeholder}`` in its strings replaced."""
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(item, values) for item in node]
    return string.Template(node).safe_substitute(values) if isinstance(node, str) else node


def _tags(tags_list: Any) -> str:
    """The old form of the tags: ``name:value;name:value``."""
    entries = [entry for entry in tags_list if isinstance(entry, dict)] if isinstance(tags_list, list) else []
    return ";".join(f"{entry.get('name', '')}:{entry.get('value', '')}" for entry in entries)


def _is_private_ipv4(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.version == 4 and parsed.is_private and not parsed.is_loopback


class Vms:
    """The current list; it is replaced as a whole or not at all."""

    def __init__(self, given: Any = None) -> None:
        self._lock = threading.Lock()
        self._given: list[dict[str, Any]] = []
        self._vms: list[Vm] = []
        self.replace(DEFAULT_VMS if given is None else given)

    def replace(self, given: Any) -> None:
        """Take another list of VM objects.

        :raises InvalidInputError: if a field is wrong; the old list is kept then
        """
        given = checks.array("vms", given)
        if len(given) > MOST:
            checks.fail("vms", f"are {len(given)}; at most {MOST} are possible")
        vms = [build(checks.mapping(f"vms[{i}]", item), f"vms[{i}]") for i, item in enumerate(given)]
        _refuse_ambiguity(vms)
        _refuse_unknown_relays(vms)
        with self._lock:
            self._given, self._vms = given, vms

    def given(self) -> list[dict[str, Any]]:
        """The list as it was handed in."""
        return self._given

    def names(self) -> list[str]:
        """The names of all VMs."""
        return [vm.name for vm in self._vms]

    def all(self) -> list[Vm]:
        """All VMs, in the order in which they were handed in."""
        with self._lock:
            return list(self._vms)

    def named(self, name: str) -> Optional[Vm]:
        """The VM of this name."""
        return next((vm for vm in self._vms if vm.name == name), None)

    def find(self, source: str) -> Optional[Vm]:
        """The VM that asks from this address; else the VM without sources; None where Azure would stay silent."""
        address = normal(source)
        with self._lock:
            vms = [vm for vm in self._vms if not vm.arc]
        if any(address in vm.secondary_addresses for vm in vms):
            return None
        known = next((vm for vm in vms if address in vm.sources), None)
        return known or next((vm for vm in vms if not vm.sources), None)

    def find_arc(self, source: str) -> Optional[Vm]:
        """The Azure Arc machine at this address; else the first one: an agent answers only its own machine."""
        address = normal(source)
        with self._lock:
            machines = [vm for vm in self._vms if vm.arc]
        known = next((vm for vm in machines if address in vm.sources), None)
        return known or next(iter(machines), None)


def _refuse_ambiguity(vms: list[Vm]) -> None:
    """Names and addresses are unique, and one VM at most has no sources."""
    seen: dict[str, str] = {}
    for i, vm in enumerate(vms):
        claims = [("name", f"name {vm.name}")]
        strangers = () if vm.arc else ("(any other)",)
        claims += [("sources", f"address {address}") for address in vm.sources or strangers]
        claims += [("secondary_addresses", f"address {address}") for address in sorted(vm.secondary_addresses)]
        for field, claim in claims:
            if claim in seen:
                checks.fail(f"vms[{i}].{field}", f"{claim} is already that of {seen[claim]}")
            seen[claim] = f"vms[{i}]"


def _refuse_unknown_relays(vms: list[Vm]) -> None:
    """A VM can only hand on the document of one that there is."""
    names = [vm.name for vm in vms]
    for i, vm in enumerate(vms):
        if vm.attested.get("relayed_from", vm.name) not in names:
            checks.fail(f"vms[{i}].attested.relayed_from", f"no VM has this name; there are {', '.join(names)}")


def _addresses(field: str, value: Any) -> list[str]:
    try:
        return [normal(address) for address in checks.array(field, value)]
    except (ValueError, AttributeError) as error:
        if isinstance(error, checks.InvalidInputError):
            raise
        checks.fail(field, f"must be a list of IP addresses: {error}")


def _texts(field: str, value: Any) -> list[str]:
    return [checks.text(f"{field}[{i}]", item) for i, item in enumerate(checks.array(field, value))]


def _loadbalancer(field: str, value: Any) -> Optional[dict[str, Any]]:
    if value is None:
        return None
    data = checks.mapping(field, value)
    data = checks.mapping(field, data.get("loadbalancer", data))
    lists = ("publicIpAddresses", "inboundRules", "outboundRules")
    return {**{name: [] for name in lists}, **checks.fields(field, data, dict.fromkeys(lists, checks.array))}


def _retry_after(field: str, value: Any) -> Optional[int]:
    return None if value is None else int(checks.integer(0, LONGEST_RETRY_AFTER)(field, value))


FIELDS: dict[str, checks.Check] = {
    "name": checks.text,
    "sources": _addresses,
    "secondary_addresses": _addresses,
    "profile": checks.one_of(profile_names()),
    "overrides": checks.mapping,
    "extra": _texts,
    "classic": checks.boolean,
    "limiter": checks.boolean,
    "retry_after": _retry_after,
    "loadbalancer": _loadbalancer,
    "shuffle_interfaces": checks.boolean,
    "attested": attested_spec.check,
    "scheduled_events": event_spec.check_switches,
    "identity": identity_spec.check,
    "arc": checks.boolean,
}
