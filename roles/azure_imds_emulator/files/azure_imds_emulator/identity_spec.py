# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a user describes the managed identities of a VM: the key ``identity``; checked. Pure.

    {"system_assigned": true,                  the identity of the VM itself
     "user_assigned": ["id-web", {"name": "id-db", "client_id": GUID, "object_id": GUID, "resource_id": "/subscri..."}],
     "tenant": GUID,
     "propagation_delay": 5,                   seconds from the assignment until IMDS knows the identity
     "token_lifetime": 86400,                  seconds that a new token is valid
     "cached": true,                           false: a new token for every request
     "resources": ["https://vault.azure.net"]} all that the tenant knows; by default every URI and every GUID

An identity has a name, or is the system-assigned one; the name is the last part of its resource ID. IDs that are not
given follow from it, and are the same wherever the same identity is assigned. ``"state": "disabled"`` or ``"deleted"``
makes Entra ID refuse a token for it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from . import checks

DEFAULT_TENANT = "7b0c35bd-5e8b-4f3c-9a52-2c1e64f0d9a7"
DAY = 24 * 3600
SYSTEM = "system"
MOST = 100  # identities of a VM
STATES = ("enabled", "disabled", "deleted")


@dataclass(frozen=True)
class Identity:
    """One managed identity. ``name`` is SYSTEM for the system-assigned one, whose ``resource_id`` is the VM's."""

    name: str
    client_id: str
    object_id: str
    resource_id: str
    state: str = STATES[0]

    @property
    def is_system(self) -> bool:
        """Whether it is the VM's own."""
        return self.name == SYSTEM

    def as_json(self) -> dict[str, Any]:
        """What the control endpoint shows."""
        return {
            "kind": SYSTEM if self.is_system else "user",
            "name": self.name,
            "client_id": self.client_id,
            "object_id": self.object_id,
            "resource_id": self.resource_id,
            "state": self.state,
        }


@dataclass(frozen=True)
class Managed:
    """The key ``identity`` of a VM. ``vm_id``: the VM's resource ID. Times in seconds; ``resources`` None: any."""

    vm_id: str
    identities: tuple[Identity, ...] = ()
    tenant: str = DEFAULT_TENANT
    propagation_delay: float = 0.0
    token_lifetime: int = DAY
    cached: bool = True
    resources: Optional[tuple[str, ...]] = None

    def knows(self, resource: str) -> bool:
        """Whether the tenant has a service of this name. A trailing slash does not matter there."""
        if self.resources is not None:
            return _bare(resource) in map(_bare, self.resources)
        return not resource.endswith("/.default") and bool(_URI.fullmatch(resource) or _GUID.fullmatch(resource))


def check(field: str, value: Any) -> dict[str, Any]:
    """The key ``identity`` of a VM, as far as it can be checked without the VM.

    :raises InvalidInputError: if a field is wrong
    """
    return checks.fields(field, checks.mapping(field, value), FIELDS)


def managed(field: str, spec: Mapping[str, Any], vm_id: str) -> Managed:
    """The identities that a checked key describes, on the VM with this resource ID.

    :raises InvalidInputError: if two of them are the same
    """
    rest = {name: value for name, value in spec.items() if name not in ("system_assigned", "user_assigned")}
    own = spec.get("system_assigned", False)
    described = [] if own is False else [{"kind": SYSTEM, **(own if isinstance(own, dict) else {})}]
    described += spec.get("user_assigned", [])
    found = tuple(resolve(each, vm_id) for each in described)
    refuse_ambiguity(field, found)
    if "resources" in rest:
        rest["resources"] = tuple(rest["resources"])
    return Managed(vm_id, found, **rest)


def parse(field: str, given: Any, vm_id: str) -> Identity:
    """One identity to assign at run time: as in ``user_assigned``, or ``{"kind": "system"}``.

    :raises InvalidInputError: if a field is wrong
    """
    return resolve(_identity({**USER, **OWN})(field, given), vm_id)


def resolve(described: Mapping[str, Any], vm_id: str) -> Identity:
    """The identity with all its IDs."""
    if described.get("kind") == SYSTEM:
        seed, name, resource_id = f"{vm_id}/{SYSTEM}", SYSTEM, vm_id
    else:
        name = described["name"]
        group = vm_id.rpartition("/providers/")[0]
        default = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        resource_id = seed = described.get("resource_id", default).rstrip("/")
    client_id, object_id = (_derived(seed, kind) for kind in ("client", "object"))
    return Identity(
        name=name,
        client_id=described.get("client_id", client_id),
        object_id=described.get("object_id", object_id),
        resource_id=resource_id,
        state=described.get("state", STATES[0]),
    )


def refuse_ambiguity(field: str, identities: Sequence[Identity]) -> None:
    """A name and an ID belong to one identity.

    :raises InvalidInputError: if not
    """
    if len(identities) > MOST:
        checks.fail(field, f"are {len(identities)} identities; at most {MOST} are possible")
    seen: dict[str, str] = {}
    for identity in identities:
        claimed = {identity.name, identity.client_id, identity.object_id, identity.resource_id}
        for each in sorted(claimed):
            if each.lower() in seen:
                checks.fail(field, f"{each} is that of two identities: {seen[each.lower()]} and {identity.name}")
        seen.update({each.lower(): identity.name for each in claimed})


def selected(identities: Sequence[Identity], selector: str, value: str) -> Optional[Identity]:
    """The identity with this ID. Letters' case does not matter, nor a slash at the end."""
    wanted, attribute = _bare(value).lower(), SELECTORS[selector]
    fitting = [each for each in identities if _bare(getattr(each, attribute)).lower() == wanted]
    # The VM's resource ID is the VM's, not that of an identity.
    return next((each for each in fitting if attribute != "resource_id" or not each.is_system), None)


# Parameter of a token request -> the attribute that it selects by.
SELECTORS = {
    "client_id": "client_id",
    "object_id": "object_id",
    "msi_res_id": "resource_id",
    "mi_res_id": "resource_id",
}

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_RESOURCE_ID = re.compile(r"/subscriptions/[^/\s]+/resourcegroups/[^/\s]+/providers/[^\s]+", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


def _bare(text: str) -> str:
    return text[:-1] if text.endswith("/") else text


def _derived(seed: str, kind: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed.lower()}#{kind}"))


def guid(field: str, value: Any) -> str:
    """A GUID, in lower case."""
    text = str(checks.text(field, value))
    return text.lower() if _GUID.fullmatch(text) else checks.fail(field, "must be a GUID")


def _name(field: str, value: Any) -> str:
    text = str(checks.text(field, value))
    if not _NAME.fullmatch(text) or text.lower() == SYSTEM:
        checks.fail(field, f"must be letters, digits, - and _, at most 128, and not {SYSTEM}")
    return text


def _resource_id(field: str, value: Any) -> str:
    text = str(checks.text(field, value))
    return text if _RESOURCE_ID.fullmatch(text) else checks.fail(field, "must be a resource ID: /subscriptions/...")


def _identity(table: Mapping[str, checks.Check]) -> checks.Check:
    """A check for one identity: its name alone, or an object with fields of this table."""

    def check_one(field: str, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            return {"name": _name(field, value)}
        checked = checks.fields(field, checks.mapping(field, value), table)
        prefix = f"{field}." if field else ""
        if checked.get("kind") == SYSTEM:
            wrong = [name for name in ("name", "resource_id") if name in checked]
            if wrong:
                checks.fail(f"{prefix}{wrong[0]}", "does not go with the system-assigned identity")
            return checked
        told = checked.get("resource_id", "").rstrip("/").rpartition("/")[2]
        name = checked.setdefault("name", told)
        if not name:
            checks.fail(f"{prefix}name", "is required, or a resource_id")
        if told and told.lower() != name.lower():
            checks.fail(f"{prefix}name", f"is not {told}, as resource_id says")
        return checked

    return check_one


def _system(field: str, value: Any) -> Any:
    return value if isinstance(value, bool) else checks.fields(field, checks.mapping(field, value), IDS)


def _users(field: str, value: Any) -> list[dict[str, Any]]:
    return [_identity(USER)(f"{field}[{i}]", each) for i, each in enumerate(checks.array(field, value))]


def _texts(field: str, value: Any) -> list[str]:
    return [checks.text(f"{field}[{i}]", each) for i, each in enumerate(checks.array(field, value))]


IDS: dict[str, checks.Check] = {"client_id": guid, "object_id": guid, "state": checks.one_of(STATES)}
USER: dict[str, checks.Check] = {"name": _name, "resource_id": _resource_id, **IDS}
OWN: dict[str, checks.Check] = {"kind": checks.one_of((SYSTEM, "user"))}

FIELDS: dict[str, checks.Check] = {
    "system_assigned": _system,
    "user_assigned": _users,
    "tenant": guid,
    "propagation_delay": checks.number(0, DAY),
    "token_lifetime": checks.integer(1, 7 * DAY),
    "cached": checks.boolean,
    "resources": _texts,
}
