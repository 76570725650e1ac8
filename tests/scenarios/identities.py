# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed identities as tests see them: tokens with claims, and the answers of IMDS that hold them."""

from __future__ import annotations

import base64
import json
from typing import Any

VAULT = "https://vault.azure.net"
CLIENT_ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
OBJECT_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
TENANT_ID = "16fd2706-8baf-433b-82eb-8c7fada847da"
MSI_RES_ID = (
    "/subscriptions/8d10da13-8125-4ba9-a717-bf7490507b3d/resourceGroups/web/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/backup"
)
# What the clocks of tests say, and how long the service's tokens live.
NOW = 1_700_000_000
LIFE = 86_400

NOT_FOUND = {"error": "invalid_request", "error_description": "Identity not found"}
SEVERAL = {
    "error": "invalid_request",
    "error_description": "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
    "identity in the token request",
}
UNKNOWN_RESOURCE = {
    "error": "invalid_resource",
    "error_description": "AADSTS500011: The resource principal named https://nothing.example was not found in the "
    "tenant named contoso.",
    "error_codes": [500011],
    "timestamp": "2024-04-24 17:54:15Z",
}


def jwt(resource: str = VAULT, expires_on: int = NOW + LIFE, **claims: Any) -> str:
    """A token that nobody signed, with the claims of a managed identity."""
    told = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "nbf": expires_on - LIFE,
        "exp": expires_on,
        "appid": CLIENT_ID,
        "oid": OBJECT_ID,
        "tid": TENANT_ID,
        "xms_mirid": MSI_RES_ID,
        **claims,
    }
    parts = [{"alg": "RS256", "typ": "JWT"}, told]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJlLXRoYXQtbm9ib2R5LWhhcy1tYWRl"])


def answer(value: str | None = None, expires_on: int = NOW + LIFE, **fields: Any) -> dict[str, Any]:
    """What IMDS sends with status 200; a field that is None is left out."""
    told = {
        "access_token": value or jwt(expires_on=expires_on),
        "client_id": CLIENT_ID,
        "expires_in": str(expires_on - NOW),
        "expires_on": str(expires_on),
        "ext_expires_in": "86399",
        "not_before": str(expires_on - LIFE),
        "refresh_token": "",
        "resource": VAULT,
        "token_type": "Bearer",
        **fields,
    }
    return {name: field for name, field in told.items() if field is not None}
