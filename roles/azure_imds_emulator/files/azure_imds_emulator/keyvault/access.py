# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a request may read a secret, and the answer. Pure but for the verification of the token."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Callable, Union

from ..message import Answer, Request
from ..tokens.jwt import InvalidTokenError
from . import answers
from .spec import APPLICATION, NAME, Vault

VERSIONS = ("2015-06-01", "2016-10-01", *(f"7.{minor}" for minor in range(7)))
# Clients of today send dates, and those of tomorrow later ones: every date from this one on is a version.
DATED_SINCE = "2025-06-01"
DATE = re.compile(r"20\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])", re.ASCII)
SKEW = 300  # seconds by which clocks may differ

Claims = Mapping[str, Any]


def answer(vault: Vault, request: Request, verify: Callable[[str], Claims], now: float) -> Answer:
    """What the vault answers. ``verify`` returns a token's claims, or raises InvalidTokenError.

    The token comes first, then the firewall, the request, the right to read, and the secret.
    """
    claims = _caller(vault, request, verify, now)
    if isinstance(claims, Answer):
        return claims
    if vault.networks is not None and not any(ipaddress.ip_address(request.source) in net for net in vault.networks):
        return answers.firewall(vault, claims, request.source)
    segments = request.segments()
    if segments[:1] != ("secrets",) or len(segments) not in (2, 3):
        return answers.NO_ROUTE
    if request.method != "GET":
        return answers.WRONG_METHOD
    version = request.parameters().get("api-version")
    if not version:
        return answers.NO_VERSION
    if version not in VERSIONS and not (DATE.fullmatch(version) and version >= DATED_SINCE):
        return answers.bad_version(version)
    return _secret(vault, request, claims)


def _secret(vault: Vault, request: Request, claims: Claims) -> Answer:
    _secrets, name, *version = request.segments()
    if not NAME.fullmatch(name):
        return answers.WRONG_NAME
    if not _may_read(vault, claims):
        return answers.forbidden(vault, claims, name)
    found = vault.secrets.get(name.lower())
    if found is None or (version and version != [found.version]):
        return answers.not_found(name)
    if not found.enabled:
        return answers.DISABLED
    host = request.header("Host") or f"{vault.name}.{vault.cloud.suffix}"
    return answers.secret(found, f"https://{host}", name)


def _caller(vault: Vault, request: Request, verify: Callable[[str], Claims], now: float) -> Union[Claims, Answer]:
    """The claims of the caller's token, or why it is refused."""
    scheme, _space, token = (request.header("Authorization") or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return answers.unauthorized(vault, answers.NO_TOKEN)
    try:
        claims = verify(token.strip())
    except InvalidTokenError as error:
        message = answers.WRONG_KEY if error.is_token else answers.NOT_A_TOKEN
        return answers.unauthorized(vault, message)
    if now > claims["exp"] + SKEW:
        return answers.unauthorized(vault, answers.EXPIRED)
    if now < claims["nbf"] - SKEW:
        return answers.unauthorized(vault, answers.NOT_YET_VALID)
    if claims["aud"] not in (vault.cloud.resource, APPLICATION):
        return answers.unauthorized(vault, answers.wrong_audience(vault, claims["aud"]))
    if claims["iss"] != vault.issuer:
        return answers.unauthorized(vault, answers.wrong_issuer(vault, claims["iss"]))
    return claims


def _may_read(vault: Vault, claims: Claims) -> bool:
    name = str(claims.get("xms_mirid", "")).rpartition("/")[2]
    return any(str(each).lower() in vault.readers for each in (claims["appid"], claims["oid"], name) if each)
