# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the signer's certificate to a trust anchor.

cryptography validates the path (RFC 5280 with the rules of the web's public CAs). This file gives it the
candidates, asks for issuers that are missing, and finds out where a path breaks off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from .certificates import describe, fingerprint, is_current, is_issued_by, is_self_issued, names_key_of
from .dependencies import VerificationError, verification, x509
from .document import iso
from .gaps import Gap, explain
from .reasons import Refusal
from .roots import BY_FINGERPRINT
from .trust import Trust

MAX_INTERMEDIATES = 4
MAX_FETCHES = 4


class Fetched(NamedTuple):
    """What a search for one certificate's issuer brought: candidates, and one entry per attempt for the result."""

    certificates: list[x509.Certificate]
    attempts: list[dict[str, str]]


Fetch = Callable[["x509.Certificate", datetime], Fetched]


def build_chain(
    leaf: x509.Certificate,
    name: str,
    at: datetime,
    trust: Trust,
    candidates: Sequence[x509.Certificate],
    fetch: Fetch | None,
) -> list[x509.Certificate]:
    """The validated path, leaf first, anchor last.

    :param name: the DNS name the leaf must bear.
    :param candidates: certificates of any origin. None is trusted, unless it is a built-in root.
    :param fetch: looks for issuers that are neither among the candidates nor the anchors.
    :raises Refusal: ``certificate_not_current``, ``missing_issuer``, ``missing_root``, ``untrusted_root`` or
        ``chain_invalid``.
    """
    if not is_current(leaf, at):
        span = describe(leaf)
        message = f"valid from {span['not_before']} to {span['not_after']}, and it is {iso(at)}"
        raise Refusal("certificate_not_current", message)
    candidates = list(candidates)
    attempts: list[dict[str, str]] = []
    asked: set[x509.Certificate] = set()
    while True:
        anchors = [*trust.anchors, *_builtin(candidates, trust)]
        # A self-issued certificate can't link two others, and an expired one would only hide that one is missing.
        pool = [c for c in candidates if not is_self_issued(c) and is_current(c, at)]
        try:
            return _validate(leaf, name, at, anchors, pool)
        except (VerificationError, ValueError) as error:
            problem = str(error)
        gaps, complete = _survey(leaf, at, anchors, candidates, pool)
        askable = [gap.below for gap in gaps if gap.may_be_fetched and gap.below not in asked]
        if complete or fetch is None or not askable or len(asked) >= MAX_FETCHES:
            break
        asked.add(askable[0])
        fetched = fetch(askable[0], at)
        candidates += fetched.certificates
        attempts += fetched.attempts
    if complete or not gaps:
        raise Refusal("chain_invalid", f"the chain is refused: {problem}", attempts=attempts)
    raise explain(gaps[0], at, trust, attempts, fetching=fetch is not None)


def _builtin(candidates: Sequence[x509.Certificate], trust: Trust) -> list[x509.Certificate]:
    """The candidates that are built-in roots: the fingerprint decides, not where they came from."""
    if not trust.builtin:
        return []
    return [c for c in candidates if is_self_issued(c) and fingerprint(c) in BY_FINGERPRINT]


def _validate(
    leaf: x509.Certificate,
    name: str,
    at: datetime,
    anchors: Sequence[x509.Certificate],
    pool: list[x509.Certificate],
) -> list[x509.Certificate]:
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(anchors)))
        .time(at.astimezone(timezone.utc).replace(tzinfo=None))
        .max_chain_depth(MAX_INTERMEDIATES)
        .build_server_verifier(x509.DNSName(name))
    )
    return verifier.verify(leaf, pool)


def _survey(
    leaf: x509.Certificate,
    at: datetime,
    anchors: Sequence[x509.Certificate],
    candidates: Sequence[x509.Certificate],
    pool: Sequence[x509.Certificate],
) -> tuple[list[Gap], bool]:
    """Walk up from the leaf: where no certificate leads further, and whether some path meets an anchor."""
    gaps: list[Gap] = []
    complete = False
    seen = [leaf]
    for below in seen:  # grows while it is walked; each candidate enters once
        anchored = any(is_issued_by(below, anchor) for anchor in anchors if is_current(anchor, at))
        issuers = [candidate for candidate in pool if is_issued_by(below, candidate)]
        seen += [issuer for issuer in issuers if issuer not in seen]
        complete = complete or anchored
        if not issuers and not anchored:
            namesakes = [c for c in (*anchors, *candidates, below) if c.subject == below.issuer]
            gaps.append(
                Gap(
                    below,
                    namesakes=namesakes,
                    signers=[c for c in namesakes if is_issued_by(below, c)],
                    anchors=[anchor for anchor in anchors if is_issued_by(below, anchor)],
                    key_is_named=any(names_key_of(below, c) for c in namesakes),
                )
            )
    return gaps, complete
