# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Entra ID that issues tokens for managed identities, and publishes how to verify them."""

from __future__ import annotations

from typing import Any

from ..attestation.authority import Authority
from ..attestation.certificates import Certificate
from ..identity_spec import Identity, Managed
from . import claims, jwt
from .claims import Token

SIGNER = "accounts.accesscontrol.windows.net"


class Issuer:
    """Issues tokens for all tenants. One key signs them all, as in Entra ID; the authority keeps it."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def issue(self, managed: Managed, identity: Identity, resource: str, cloud: str, now: float) -> Token:
        """A new token for an identity; ``cloud`` is compute.azEnvironment."""
        made = int(now)
        stated = claims.claims(managed, identity, resource, cloud, made)
        return Token(jwt.encode(stated, self._signer()), made, stated["nbf"], stated["exp"])

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of a token that was issued here. Whether they are still true is for the caller to see.

        :raises InvalidTokenError: if it was not
        """
        return jwt.decode(token, self._signer())

    def key_set(self, issuer: str) -> dict[str, Any]:
        """The keys that verify tokens of this issuer."""
        return jwt.key_set(self._signer(), issuer)

    def _signer(self) -> Certificate:
        return self._authority.token_signer(SIGNER)
