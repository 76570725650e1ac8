# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vault answers. Pure.

Statuses, codes and messages are those of published captures, unless a comment says that they are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ..message import JSON, Answer, Layer, json_body
from .spec import APPLICATION, Secret, Vault

HELP_POLICY = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"
HELP_DELETED = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
NEWEST_VERSION = "2025-07-01"


def _error(status: int, code: str, message: str, inner: Optional[str] = None) -> Answer:
    error: dict[str, Any] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return Answer(status, json_body({"error": error}), JSON, Layer.NAMELESS)


def caller(claims: Mapping[str, Any]) -> str:
    """How errors name who asks."""
    who = f"appid={claims.get('appid')};oid={claims.get('oid')};iss={claims.get('iss')}"
    more = {"xms_mirid": "xmsmirid", "xms_az_rid": "xmsazrid"}
    return ";".join([who, *(f"{shown}={claims[name]}" for name, shown in more.items() if name in claims)])


def where(vault: Vault) -> str:
    """How errors name the vault."""
    return f"{vault.name};location={vault.location}"


def unauthorized(vault: Vault, message: str) -> Answer:
    """401, with where to get a token."""
    challenge = f'Bearer authorization="{vault.cloud.login}/{vault.tenant}", resource="{vault.cloud.resource}"'
    return _error(401, "Unauthorized", message).with_header("WWW-Authenticate", challenge)


NO_TOKEN = "AKV10000: Request is missing a Bearer or PoP token."
WRONG_KEY = "AKV10046: Unable to resolve the key used for signature validation."
EXPIRED = "Error validating token: IDX10223"
NOT_YET_VALID = "Error validating token: IDX10222"
# Ours: what is not a token at all.
NOT_A_TOKEN = "Error validating token: IDX12741"


def wrong_audience(vault: Vault, found: str) -> str:
    """Why a token for something else is refused."""
    return f"AKV10022: Invalid audience. Expected {vault.cloud.resource} or {APPLICATION}, found: {found}."


def wrong_issuer(vault: Vault, found: str) -> str:
    """Why a token of another tenant is refused."""
    return f"AKV10032: Invalid issuer. Expected one of {vault.issuer}, found {found}."


def forbidden(vault: Vault, claims: Mapping[str, Any], secret: str) -> Answer:
    """The caller may not read secrets, in the words of the vault's access model."""
    if vault.access_model == "policies":
        message = (
            f"The user, group or application '{caller(claims)}' does not have secrets get permission on key vault "
            f"'{where(vault)}'. {HELP_POLICY}"
        )
        return _error(403, "Forbidden", message, "AccessDenied")
    message = (
        "Caller is not authorized to perform action on resource.\r\n"
        "If role assignments, deny assignments or role definitions were changed recently, "
        "please observe propagation time.\r\n"
        f"Caller: {caller(claims)}\r\n"
        "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n"
        f"Resource: '{vault.resource_id}/secrets/{secret}'\r\n"
        "Assignment: (not found)\r\n"
        "DenyAssignmentId: null\r\n"
        "DecisionReason: 'DeniedWithNoValidRBAC' \r\n"
        f"Vault: {where(vault)}\r\n"
    )
    return _error(403, "Forbidden", message, "ForbiddenByRbac")


def firewall(vault: Vault, claims: Mapping[str, Any], address: str) -> Answer:
    """The caller's address may not use the vault."""
    message = (
        "Client address is not authorized and caller is not a trusted service.\r\n"
        f"Client address: {address}\r\nCaller: {caller(claims)}\r\nVault: {where(vault)}"
    )
    return _error(403, "Forbidden", message, "ForbiddenByFirewall")


DISABLED = _error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
THROTTLED = _error(
    429,
    "Throttled",
    "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
)
# Ours, in the service's style: a version that is missing, paths and verbs other than the reading of one secret, a name
# that no secret can have, a host name that no vault has (on Azure it would not resolve).
NO_VERSION = _error(400, "BadParameter", "api-version must be specified")
NO_ROUTE = _error(404, "NotFound", "Resource not found")
WRONG_METHOD = _error(405, "MethodNotAllowed", "The request method is not allowed on this resource")
WRONG_NAME = _error(400, "BadParameter", "The request URI contains an invalid name")
NO_VAULT = _error(404, "VaultNotFound", "No vault of this emulator has the name that the request was sent to")


def bad_version(version: str) -> Answer:
    """400 for an api-version that does not exist."""
    message = (
        f"The specified version ({version}) is not recognized. "
        f"Consider using the latest supported version ({NEWEST_VERSION})."
    )
    return _error(400, "BadParameter", message)


def not_found(name: str) -> Answer:
    """404 for a secret that there is not, or not in this version."""
    message = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may "
        f"be able to recover it using the correct recovery command. {HELP_DELETED}"
    )
    return _error(404, "SecretNotFound", message)


def secret(found: Secret, base: str, name: str) -> Answer:
    """The secret itself. ``base``: the URL under which the vault was asked."""
    times = {"created": found.created, "updated": found.created, "exp": found.expires, "nbf": found.not_before}
    document: dict[str, Any] = {
        "value": found.value,
        "id": f"{base}/secrets/{name}/{found.version}",
        "attributes": {
            "enabled": found.enabled,
            **{kind: moment for kind, moment in times.items() if moment is not None},
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        },
    }
    if found.content_type is not None:
        document["contentType"] = found.content_type
    if found.tags is not None:
        document["tags"] = dict(found.tags)
    return Answer(200, json_body(document), JSON, Layer.NAMELESS)
