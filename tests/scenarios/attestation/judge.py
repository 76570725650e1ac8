# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify with the test hierarchy: trusted is the old root, at hand are cross-sign and issuing CA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.imds.azure.plugins.plugin_utils._attestation.anchors import Sources
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import build_policy
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.trust import Trust
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict, verify

from ..attestation import authority
from ..attestation.authority import Party
from ..attestation.documents import NONCE, text

SOON = authority.NOW + timedelta(seconds=60)


def judge(
    evidence: bytes | str | Mapping[str, Any],
    *,
    now: datetime = SOON,
    anchors: Sequence[Party] | None = None,
    intermediates: Sequence[Party] | None = None,
    fetch: Any = None,
    builtin: bool = False,
    bundles: tuple[str, ...] = (),
    **options: Any,
) -> Verdict:
    """The verdict on a document (DER) or on evidence as it stands. The options are those of ``build_policy``."""
    tree = authority.hierarchy()
    trusted = tuple(party.certificate for party in ([tree.old_root] if anchors is None else anchors))
    sources = Sources(
        Trust(trusted, builtin, bundles),
        tuple(party.certificate for party in ([tree.cross, tree.issuing] if intermediates is None else intermediates)),
        fetch,
    )
    policy = build_policy(**{"stored": False, "nonce": NONCE, **options})
    return verify(text(evidence) if isinstance(evidence, bytes) else evidence, policy, sources, now)
