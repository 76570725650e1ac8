# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenants' public documents, with which anybody can verify tokens: under the paths that they have at Entra ID.

/TENANT/.well-known/openid-configuration      also /TENANT/v2.0/.well-known/openid-configuration
/TENANT/discovery/keys                        also /common/discovery/keys and .../discovery/v2.0/keys
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ..message import JSON, Answer, Layer, Request, json_body
from .tenant import Issuer

CONFIGURATION = (".well-known", "openid-configuration")
KEYS = (("discovery", "keys"), ("discovery", "v2.0", "keys"))


class TenantSite:
    """``tenants``: a function that returns the issuer of each tenant's tokens, by the tenant's ID."""

    def __init__(self, issuer: Issuer, tenants: Callable[[], Mapping[str, str]]) -> None:
        self.issuer = issuer
        self._tenants = tenants

    def answer(self, request: Request, scheme: str) -> Optional[Answer]:
        """The document that is asked for, an error for an unknown tenant, None for another path."""
        tenant, *rest = request.segments() or ("",)
        path = tuple(rest)
        asks_for_keys = path in KEYS
        if request.method not in ("GET", "HEAD") or not (asks_for_keys or path[-2:] == CONFIGURATION):
            return None
        if not asks_for_keys and path[:-2] not in ((), ("v2.0",)):
            return None
        issuer = self._tenants().get(tenant.lower())
        if issuer is None and not (asks_for_keys and tenant == "common"):
            return _unknown(tenant)
        if asks_for_keys:
            return _json(200, self.issuer.key_set(issuer or ""))
        return _json(200, _configuration(f"{scheme}://{request.header('Host') or ''}/{tenant}", str(issuer)))


def _configuration(base: str, issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{base}/discovery/keys",
        "authorization_endpoint": f"{base}/oauth2/authorize",
        "token_endpoint": f"{base}/oauth2/token",
        "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nbf", "oid", "tid", "ver"],
    }


def _unknown(tenant: str) -> Answer:
    text = f"AADSTS90002: Tenant '{tenant[:128]}' not found. Check to make sure you have the correct tenant ID."
    return _json(400, {"error": "invalid_tenant", "error_description": text, "error_codes": [90002]})


def _json(status: int, document: Any) -> Answer:
    return Answer(status, json_body(document), JSON, Layer.NAMELESS)
