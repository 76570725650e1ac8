# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a VM's attested documents, on purpose: the key ``attested`` of a VM.

Each switch is false, and the document as Azure's, unless it is given. Switches can be combined.
"""

from __future__ import annotations

import sys
from typing import Any

from . import checks

OLDEST = 10 * 366 * 24 * 3600  # seconds


def check(field: str, value: Any) -> dict[str, Any]:
    """The switches that are on.

    :raises InvalidInputError: if a switch is unknown or has a wrong value
    """
    given = checks.fields(field, checks.mapping(field, value), SWITCHES)
    return {name: setting for name, setting in given.items() if setting}


def _how_often(field: str, value: Any) -> int:
    """How many requests; true: all of them."""
    if isinstance(value, bool):
        return sys.maxsize if value else 0
    return int(checks.integer(0, 1_000_000)(field, value))


SWITCHES: dict[str, checks.Check] = {
    # The next so many documents bear the nonce that was asked for before, or the automatic one if none was.
    "cached_nonce": _how_often,
    # The document of the VM of this name.
    "relayed_from": checks.text,
    # Created so many seconds ago.
    "age": checks.integer(0, OLDEST),
    # One byte changed after signing.
    "altered": checks.boolean,
    # Another key signed than that of the certificate.
    "wrong_signer": checks.boolean,
    # A genuine certificate comes first, but one of the same CA for another name is the signer's, and signed.
    "genuine_first": checks.boolean,
    # The signer's certificate: no longer valid, not yet valid, for a name that only looks like Azure's,
    # from a root that is not the emulator's, with an issuer that is nowhere to be found.
    "expired_leaf": checks.boolean,
    "future_leaf": checks.boolean,
    "wrong_name": checks.boolean,
    "untrusted_root": checks.boolean,
    "missing_issuer": checks.boolean,
}
