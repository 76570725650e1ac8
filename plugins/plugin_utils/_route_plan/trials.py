# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which other NICs and addresses are tried where an assumption about the primary one proves wrong."""

from __future__ import annotations

from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import Candidate, candidates

from .evaluation import Evaluation

# Pairs that are tried in all.
MOST = 4


def order(host: Evaluation) -> list[Candidate]:
    """The pair that is assumed, then the other candidates; only where the primary NIC is an assumption.

    An address that moves between hosts is none: Azure's primary one stays.
    """
    if not host.primary.assumed or not host.primary.address:
        return []
    first = Candidate(host.primary.name, host.primary.address)
    moving = {address.address for address in host.state.addresses if address.virtual}
    rest = [one for one in candidates(host.state, host.options) if one != first and one.address not in moving]
    return [first, *rest][:MOST]


def others(host: Evaluation) -> list[Candidate]:
    """The candidates besides the first one."""
    return order(host)[1:]
