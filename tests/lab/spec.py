# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology of a lab: read, checked and completed with defaults. Pure.

The reference of all fields is the guide lab.rst. Every error names the field, as in ``vms[0].nics[1].address``.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from dataclasses import dataclass
from typing import Any

from . import disk_spec
from .errors import SpecError
from .fields import Fields

AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"
FABRIC = "fabric"
VAULT = "192.0.2.53"  # where key vaults answer: TEST-NET-1, which the fabric routes like the Internet
DEFAULT_PYTHON = "/usr/bin/python3"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_GROUP = re.compile(r"[a-z_][a-z0-9_]*")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_FIRST_HOST = 4  # Azure keeps the first four addresses of a subnet for itself; .1 is the gateway.
_VAULT_DOMAINS = ("vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn")
_NAMESPACE = uuid.UUID("6d1f1f1e-5b0e-4f2b-9d59-2f6d5a0b7c11")


@dataclass(frozen=True)
class Nic:
    """One network interface: eth0 is the primary, then eth1 and so on."""

    name: str
    subnet: ipaddress.IPv4Network
    address: ipaddress.IPv4Address
    secondary_addresses: tuple[ipaddress.IPv4Address, ...]
    public_address: str
    mac: str
    metric: int
    default_route: bool
    azure_routes: bool
    reaches_imds: bool

    @property
    def gateway(self) -> ipaddress.IPv4Address:
        """The fabric's address in this subnet."""
        return self.subnet.network_address + 1

    @property
    def addresses(self) -> tuple[ipaddress.IPv4Address, ...]:
        """All addresses, the primary one first."""
        return (self.address, *self.secondary_addresses)


@dataclass(frozen=True)
class Vm:
    """One guest."""

    name: str
    index: int
    nics: tuple[Nic, ...]
    ip: tuple[tuple[str, ...], ...]
    imds: bool
    profile: str | None
    location: str | None
    zone: str | None
    tags: dict[str, str] | None
    overrides: dict[str, Any]
    options: dict[str, Any]
    chassis_asset_tag: str | None
    product_uuid: str
    python: str
    sshd: bool
    groups: tuple[str, ...]
    vars: dict[str, Any]
    vault_hosts: tuple[str, ...]
    disks: tuple[disk_spec.Disk, ...]
    stacks: tuple[disk_spec.Stack, ...]


@dataclass(frozen=True)
class Topology:
    """A whole lab."""

    vms: tuple[Vm, ...]
    emulator: bool
    vaults: tuple[dict[str, Any], ...]


def check_name(name: str, path: str) -> str:
    """Return a name that may be part of a host name and of a path.

    :raises SpecError: if it may not
    """
    if not _NAME.fullmatch(name):
        raise SpecError(f"{path}: {name!r} is not a valid name; use up to 63 lower-case letters, digits, inner hyphens")
    return name


def _subnet(text: str, path: str) -> ipaddress.IPv4Network:
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise SpecError(f"{path}: {error}") from None
    if subnet.prefixlen > 29:
        raise SpecError(f"{path}: {text} is smaller than /29, the smallest subnet Azure has")
    return subnet


def _address(text: str, subnet: ipaddress.IPv4Network, path: str) -> ipaddress.IPv4Address:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise SpecError(f"{path}: {error}") from None
    if address not in subnet:
        raise SpecError(f"{path}: {text} is not in {subnet}")
    if address in (subnet.network_address, subnet.network_address + 1, subnet.broadcast_address):
        raise SpecError(f"{path}: {text} is the network, gateway or broadcast address of {subnet}")
    return address


class _Reader:
    """Reads one topology; remembers what must be unique in it."""

    def __init__(self) -> None:
        self._used: dict[object, str] = {}

    def _claim(self, value: Any, path: str) -> Any:
        if value in self._used:
            raise SpecError(f"{path}: {value} is already used by {self._used[value]}")
        self._used[value] = path
        return value

    def topology(self, document: object) -> Topology:
        fields = Fields(document, "")
        emulator = fields.take("emulator", (bool,), True)
        vms = fields.take("vms", (list,), [])
        vaults = self._vaults(fields)
        fields.done()
        if not 1 <= len(vms) <= 200:
            raise SpecError(f"vms: expected 1 to 200 VMs, got {len(vms)}")
        hosts = tuple(f"{vault['name']}.{domain}" for vault in vaults for domain in _VAULT_DOMAINS)
        return Topology(tuple(self._vm(vm, index, hosts) for index, vm in enumerate(vms)), emulator, vaults)

    @staticmethod
    def _vaults(fields: Fields) -> tuple[dict[str, Any], ...]:
        """The key vaults. The emulator checks all but their names."""
        vaults = fields.take("vaults", (list,), [])
        for number, vault in enumerate(vaults):
            path = f"{fields.at('vaults')}[{number}]"
            check_name(Fields(vault, path).take("name", (str,), ""), f"{path}.name")
        return tuple(vaults)

    def _vm(self, document: object, index: int, vault_hosts: tuple[str, ...]) -> Vm:
        fields = Fields(document, f"vms[{index}]")
        name = check_name(fields.take("name", (str,), ""), fields.at("name"))
        if name == FABRIC:
            raise SpecError(f"{fields.at('name')}: {FABRIC!r} is the fabric's own name")
        self._claim(name, fields.at("name"))
        nics = fields.take("nics", (list,), [{}])
        if not 1 <= len(nics) <= 8:
            raise SpecError(f"{fields.at('nics')}: expected 1 to 8 NICs, got {len(nics)}")
        tag = fields.take("chassis_asset_tag", (bool, str), True)
        disks = disk_spec.disks(fields)
        vm = Vm(
            name=name,
            index=index,
            nics=tuple(self._nic(nic, fields.path, index, number) for number, nic in enumerate(nics)),
            ip=self._commands(fields),
            imds=fields.take("imds", (bool,), tag is not False),
            profile=fields.take("profile", (str, type(None))),
            location=fields.take("location", (str,)),
            zone=fields.take("zone", (str,)),
            tags=fields.texts("tags"),
            overrides=fields.take("overrides", (dict,), {}),
            options=fields.take("options", (dict,), {}),
            chassis_asset_tag={True: AZURE_ASSET_TAG, False: None}.get(tag, tag),
            product_uuid=self._uuid(fields, name),
            python=fields.take("python", (str,), DEFAULT_PYTHON),
            sshd=fields.take("sshd", (bool,), False),
            groups=fields.strings("groups"),
            vars=fields.take("vars", (dict,), {}),
            vault_hosts=vault_hosts,
            disks=disks,
            stacks=disk_spec.stacks(fields, disks),
        )
        fields.done()
        for number, group in enumerate(vm.groups):
            if not _GROUP.fullmatch(group):
                raise SpecError(
                    f"{fields.at('groups')}[{number}]: {group!r} is not a group name; "
                    "use lower-case letters, digits and underscores"
                )
        if not vm.python.startswith("/"):
            raise SpecError(
                f"{fields.at('python')}: {vm.python!r} is not an absolute path; "
                f"name an interpreter such as {DEFAULT_PYTHON}"
            )
        return vm

    def _nic(self, document: object, vm_path: str, vm_index: int, number: int) -> Nic:
        fields = Fields(document, f"{vm_path}.nics[{number}]")
        primary = number == 0
        subnet = _subnet(fields.take("subnet", (str,), f"10.{77 + number}.{vm_index}.0/24"), fields.at("subnet"))
        address = fields.take("address", (str,)) or self._free_address(subnet, fields.at("address"))
        nic = Nic(
            name=f"eth{number}",
            subnet=subnet,
            address=self._claim(_address(address, subnet, fields.at("address")), fields.at("address")),
            secondary_addresses=tuple(
                self._claim(_address(text, subnet, path), path)
                for text, path in (
                    (text, f"{fields.at('secondary_addresses')}[{place}]")
                    for place, text in enumerate(fields.strings("secondary_addresses"))
                )
            ),
            public_address=fields.take("public_address", (str,), ""),
            mac=fields.take("mac", (str,), f"00:0d:3a:00:{vm_index:02x}:{number:02x}").lower(),
            metric=fields.take("metric", (int,), 100 * (number + 1)),
            default_route=fields.take("default_route", (bool,), primary),
            azure_routes=fields.take("azure_routes", (bool,), primary),
            reaches_imds=fields.take("reaches_imds", (bool,), True),
        )
        fields.done()
        if not _MAC.fullmatch(nic.mac) or int(nic.mac[:2], 16) & 1:
            raise SpecError(f"{fields.at('mac')}: {nic.mac!r} is not a unicast MAC address such as 00:0d:3a:12:34:56")
        self._claim(nic.mac, fields.at("mac"))
        if not 0 <= nic.metric < 2**32:
            raise SpecError(f"{fields.at('metric')}: {nic.metric} is not between 0 and 4294967295")
        return nic

    def _free_address(self, subnet: ipaddress.IPv4Network, path: str) -> str:
        for number in range(_FIRST_HOST, subnet.num_addresses - 1):
            if subnet[number] not in self._used:
                return str(subnet[number])
        raise SpecError(f"{path}: {subnet} has no free address left")

    @staticmethod
    def _commands(fields: Fields) -> tuple[tuple[str, ...], ...]:
        commands = fields.take("ip", (list,), [])
        for number, words in enumerate(commands):
            path = f"{fields.at('ip')}[{number}]"
            if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
                raise SpecError(f'{path}: expected the arguments of ip as a list of strings, as in ["route", "show"]')
            if any(re.search(r"[\s'\"#\\]", word) or not word for word in words):
                raise SpecError(f"{path}: an argument is empty or holds a space, quote, hash or backslash")
        return tuple(tuple(words) for words in commands)

    @staticmethod
    def _uuid(fields: Fields, name: str) -> str:
        text = fields.take("product_uuid", (str,), str(uuid.uuid5(_NAMESPACE, name)))
        try:
            return str(uuid.UUID(text))
        except ValueError:
            raise SpecError(f"{fields.at('product_uuid')}: {text!r} is not a UUID") from None


def parse(document: object) -> Topology:
    """Turn a decoded JSON document into a topology.

    :param document: an object as the guide lab.rst describes it: ``{"vms": [{"name": "vm1", ...}], "emulator": true}``
    :raises SpecError: if a field is missing, unknown or wrong; the text names it
    """
    return _Reader().topology(document)
