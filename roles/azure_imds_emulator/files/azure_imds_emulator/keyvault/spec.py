# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a user describes key vaults; checked. Pure.

{"name": "kv-web",
 "secrets": {"db-password": "s3cret",
             "api-key": {"value": "k", "content_type": "text/plain", "tags": {"team": "web"}, "enabled": false}},
 "readers": ["id-web", "web1", GUID],    who may read: names of identities or VMs, client IDs, object IDs
 "tenant": GUID, "cloud": "AzureUSGovernmentCloud", "location": "westeurope",
 "access_model": "policies",             or "rbac": in which words others are refused
 "allowed_networks": ["10.1.0.0/24"]}    the vault's firewall; without the key, it is open
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

from .. import checks
from ..identity_spec import DEFAULT_TENANT, guid

MOST = 100  # vaults
CREATED = 1_767_225_600  # Unix seconds, the first moment of 2026
LATEST = 253_402_300_799  # the last second of the year 9999
LARGEST = 25_600  # characters of a value, as in Azure

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclass(frozen=True)
class Cloud:
    """What a cloud calls its vaults and the sign-in service. ``sts`` issues the tokens."""

    suffix: str
    login: str
    sts: str

    @property
    def resource(self) -> str:
        """The audience of tokens for vaults."""
        return f"https://{self.suffix}"


CLOUDS: dict[str, Cloud] = {
    "AzurePublicCloud": Cloud("vault.azure.net", "https://login.microsoftonline.com", "https://sts.windows.net"),
    "AzureUSGovernmentCloud": Cloud(
        "vault.usgovcloudapi.net", "https://login.microsoftonline.us", "https://sts.windows.net"
    ),
    "AzureChinaCloud": Cloud(
        "vault.azure.cn", "https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"
    ),
}
# The application ID of Key Vault, which tokens may name as their audience in every cloud.
APPLICATION = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"


@dataclass(frozen=True)
class Secret:
    """One secret with its one version. ``value`` must not be shown anywhere but in the answer to who may read it.

    Times in Unix seconds.
    """

    value: str
    version: str
    created: int = CREATED
    expires: Optional[int] = None
    not_before: Optional[int] = None
    content_type: Optional[str] = None
    tags: Optional[Mapping[str, str]] = None
    enabled: bool = True

    def __repr__(self) -> str:
        return f"Secret(version={self.version!r})"


@dataclass(frozen=True)
class Vault:
    """One vault. ``readers`` in lower case; ``networks`` None: no firewall."""

    name: str
    secrets: Mapping[str, Secret]
    readers: frozenset[str] = frozenset()
    tenant: str = DEFAULT_TENANT
    cloud: Cloud = CLOUDS["AzurePublicCloud"]
    location: str = "westeurope"
    access_model: str = "rbac"
    networks: Optional[tuple[Network, ...]] = None

    @property
    def issuer(self) -> str:
        """Whose tokens it accepts."""
        return f"{self.cloud.sts}/{self.tenant}/"

    @property
    def resource_id(self) -> str:
        """As its errors spell it."""
        group = "/subscriptions/3f1c2a64-8d0b-4b57-9e21-6a7d50c4e8b3/resourcegroups/rg-vaults"
        return f"{group}/providers/microsoft.keyvault/vaults/{self.name}"


def parse_all(given: Any) -> list[Vault]:
    """The vaults of a list of objects.

    :raises InvalidInputError: if a field is wrong
    """
    listed = checks.array("vaults", given)
    if len(listed) > MOST:
        checks.fail("vaults", f"are {len(listed)}; at most {MOST} are possible")
    vaults = [_parse(f"vaults[{i}]", each) for i, each in enumerate(listed)]
    names = [vault.name.lower() for vault in vaults]
    for i, name in enumerate(names):
        if name in names[:i]:
            checks.fail(f"vaults[{i}].name", f"{vaults[i].name} is already that of vaults[{names.index(name)}]")
    return vaults


def _parse(where: str, given: Any) -> Vault:
    checked = checks.fields(where, checks.mapping(where, given), FIELDS)
    if "name" not in checked:
        checks.fail(f"{where}.name", "is required")
    secrets = {name.lower(): _secret(checked["name"], name, each) for name, each in checked.pop("secrets", {}).items()}
    cloud = CLOUDS[checked.pop("cloud", "AzurePublicCloud")]
    readers = frozenset(each.lower() for each in checked.pop("readers", ()))
    networks = checked.pop("allowed_networks", None)
    return Vault(secrets=secrets, cloud=cloud, readers=readers, networks=networks, **checked)


def _secret(vault: str, name: str, described: Mapping[str, Any]) -> Secret:
    version = hashlib.sha256(f"{vault}/{name}".lower().encode()).hexdigest()[:32]
    return Secret(**{"version": version, **described})


_VAULT = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]")
NAME = re.compile(r"[A-Za-z0-9-]{1,127}")
VERSION = re.compile(r"[0-9a-f]{32}")


def _vault_name(field: str, value: Any) -> str:
    text = str(checks.text(field, value))
    if not _VAULT.fullmatch(text) or "--" in text:
        checks.fail(field, "must be 3 to 24 letters, digits and single dashes, a letter first")
    return text


def _secrets(field: str, value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        checks.fail(field, "must be an object of names and values")  # without showing any
    for name in value:
        if not NAME.fullmatch(name):
            checks.fail(f"{field}.{name[:127]}", "is not a secret's name: letters, digits and dashes, at most 127")
    if len({name.lower() for name in value}) < len(value):
        checks.fail(field, "has a name twice: upper and lower case do not matter")
    return {name: _described(f"{field}.{name}", each) for name, each in value.items()}


def _described(field: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"value": _value(field, value)}
    if not isinstance(value, dict):
        checks.fail(field, "must be a string or an object with a value")  # without showing what it is
    checked = checks.fields(field, value, SECRET)
    return checked if "value" in checked else checks.fail(f"{field}.value", "is required")


def _value(field: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LARGEST:
        checks.fail(field, f"must be a string of at most {LARGEST} characters")
    return value


def _version(field: str, value: Any) -> str:
    text = str(checks.text(field, value))
    return text if VERSION.fullmatch(text) else checks.fail(field, "must be 32 digits 0-9a-f")


def _tags(field: str, value: Any) -> dict[str, str]:
    return {name: checks.text(f"{field}.{name}", each) for name, each in checks.mapping(field, value).items()}


def _readers(field: str, value: Any) -> list[str]:
    return [checks.text(f"{field}[{i}]", each) for i, each in enumerate(checks.array(field, value))]


def _networks(field: str, value: Any) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each) for each in checks.array(field, value))
    except ValueError as error:
        if isinstance(error, checks.InvalidInputError):
            raise
        return checks.fail(field, f"must be a list of networks: {error}")


SECRET: dict[str, checks.Check] = {
    "value": _value,
    "version": _version,
    "created": checks.integer(0, LATEST),
    "expires": checks.integer(0, LATEST),
    "not_before": checks.integer(0, LATEST),
    "content_type": checks.text,
    "tags": _tags,
    "enabled": checks.boolean,
}

FIELDS: dict[str, checks.Check] = {
    "name": _vault_name,
    "secrets": _secrets,
    "readers": _readers,
    "tenant": guid,
    "cloud": checks.one_of(tuple(CLOUDS)),
    "location": checks.text,
    "access_model": checks.one_of(("rbac", "policies")),
    "allowed_networks": _networks,
}
