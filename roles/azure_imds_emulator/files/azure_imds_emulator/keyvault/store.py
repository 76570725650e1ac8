# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vaults that there are."""

from __future__ import annotations

import ipaddress
from typing import Any, Optional

from .spec import Vault, parse_all


class Vaults:
    """The current list; it is replaced as a whole or not at all."""

    def __init__(self, given: Any = None) -> None:
        """``given``: a list of objects, None for no vault.

        :raises InvalidInputError: if a field is wrong
        """
        self._vaults: tuple[Vault, ...] = ()
        self.replace([] if given is None else given)

    def replace(self, given: Any) -> None:
        """Take another list of vaults.

        :raises InvalidInputError: if a field is wrong; the old list is kept then
        """
        self._vaults = tuple(parse_all(given))

    def all(self) -> tuple[Vault, ...]:
        """All vaults."""
        return self._vaults

    def called(self, host: str) -> Optional[Vault]:
        """The vault whose name a host name starts with; under an address or ``localhost``, the first one."""
        name = host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
        label = name.partition(".")[0].lower()
        found = next((vault for vault in self._vaults if vault.name.lower() == label), None)
        return found or (next(iter(self._vaults), None) if _is_here(name) else None)

    def as_json(self) -> list[dict[str, Any]]:
        """What the control endpoint shows: everything but the values of secrets."""
        return [
            {
                "name": vault.name,
                "tenant": vault.tenant,
                "location": vault.location,
                "access_model": vault.access_model,
                "readers": sorted(vault.readers),
                "allowed_networks": None if vault.networks is None else [str(each) for each in vault.networks],
                "secrets": sorted(vault.secrets),
            }
            for vault in self._vaults
        ]


def _is_here(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.lower() in ("", "localhost")
    return True
