# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifies one document again and again in a process of its own, and prints the CPU it took, in seconds, as JSON.

cold is the first verification after the imports, warm the median of the later ones; both include reading the sources of
trust, as every task does. verify is a later verification without that.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import Any

from ansible_collections.imds.azure.plugins.plugin_utils._attestation.anchors import load_sources
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import build_policy
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import verify

ROUNDS = 200


def once(evidence: dict[str, str], nonce: str, trust: dict[str, Any]) -> tuple[float, float]:
    """The CPU of a whole verification, and of the part without reading the sources of trust."""
    started = time.process_time()
    policy, sources = build_policy(stored=False, nonce=nonce), load_sources(**trust)
    loaded = time.process_time()
    verdict = verify(evidence, policy, sources)
    ended = time.process_time()
    assert verdict.verified, verdict.message
    return ended - started, ended - loaded


def main() -> None:
    asked = json.load(sys.stdin)
    cold, _verify = once(**asked)
    later = [once(**asked) for _round in range(ROUNDS)]
    json.dump(
        {
            "cold": cold,
            "warm": median(whole for whole, _part in later),
            "verify": median(part for _whole, part in later),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
