# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an access token for a managed identity claims. Pure but for what is random in it."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from ..identity_spec import Identity, Managed

BACKDATED = 300  # seconds by which a token is valid before it was made
STS = {"azurechinacloud": "https://sts.chinacloudapi.cn"}
DEFAULT_STS = "https://sts.windows.net"


@dataclass(frozen=True)
class Token:
    """A token as it was made. Times in Unix seconds."""

    text: str
    made: int
    not_before: int
    expires: int

    def is_young(self, now: float) -> bool:
        """Whether less than half of its life is over."""
        return self.made <= now < self.made + (self.expires - self.made) / 2


def issuer(cloud: str, tenant: str) -> str:
    """The issuer of a tenant's tokens; ``cloud`` is compute.azEnvironment."""
    return f"{STS.get(cloud.lower(), DEFAULT_STS)}/{tenant}/"


def claims(managed: Managed, identity: Identity, resource: str, cloud: str, now: int) -> dict[str, Any]:
    """The claims of a token that is made now."""
    issued_by = issuer(cloud, managed.tenant)
    where = {"xms_mirid": identity.resource_id}
    if not identity.is_system:
        where["xms_az_rid"] = managed.vm_id
    return {
        "aud": resource,
        "iss": issued_by,
        "iat": now - BACKDATED,
        "nbf": now - BACKDATED,
        "exp": now + managed.token_lifetime,
        "aio": _random(48),
        "appid": identity.client_id,
        "appidacr": "2",
        "idp": issued_by,
        "idtyp": "app",
        "oid": identity.object_id,
        "rh": f"1.{_random(18)}_{_tenant_bytes(managed.tenant)}.",
        "sub": identity.object_id,
        "tid": managed.tenant,
        "uti": _random(16),
        "ver": "1.0",
        **where,
    }


def _random(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).decode().rstrip("=")


def _tenant_bytes(tenant: str) -> str:
    return base64.urlsafe_b64encode(uuid.UUID(tenant).bytes_le).decode().rstrip("=")
