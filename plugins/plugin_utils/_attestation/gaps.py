# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a chain breaks off, and what cures it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from .addresses import NO_REQUESTS, is_allowed
from .certificates import describe, fingerprint, is_ca, is_self_issued, issuer_urls
from .dependencies import x509
from .document import iso
from .reasons import HOSTILE, Refusal
from .roots import BY_SUBJECT, Root
from .trust import Trust


class Gap(NamedTuple):
    """A certificate above which nothing leads to an anchor.

    ``namesakes`` bear the name of its issuer, ``signers`` are those of them whose key signed it, ``anchors`` the
    signers that are trusted. ``key_is_named``: nothing says that its issuer has another key than a namesake.
    """

    below: x509.Certificate
    namesakes: list[x509.Certificate]
    signers: list[x509.Certificate]
    anchors: list[x509.Certificate]
    key_is_named: bool

    @property
    def is_forgery(self) -> bool:
        """Whether the issuer is at hand and did not sign."""
        return bool(self.namesakes) and not self.signers

    @property
    def may_be_fetched(self) -> bool:
        """Whether another certificate of the issuer could lead further."""
        return not self.anchors and not (self.is_forgery and self.key_is_named)


def explain(gap: Gap, at: datetime, trust: Trust, attempts: list[dict[str, str]], *, fetching: bool) -> Refusal:
    """The refusal for a chain that ends at ``gap``.

    :param attempts: all that was asked for on the network while the chain was built.
    :param fetching: whether anything may be asked for.
    """
    issuer = gap.below.issuer.rfc4514_string()
    urls = issuer_urls(gap.below)
    details: dict[str, Any] = {"issuer": issuer, "urls": urls, "attempts": attempts}
    cure = _cure(issuer, urls, [attempt for attempt in attempts if attempt["url"] in urls], fetching)
    if gap.is_forgery:
        return _forgery(gap, issuer, cure, details)
    if gap.anchors:
        return _stale_anchor(gap.anchors[0], at, details)
    roots = [signer for signer in gap.signers if is_self_issued(signer)]
    if roots:
        return _untrusted_root(roots[0], issuer, details)
    if gap.signers:
        message = f"the certificate of {issuer} is at hand, but not valid at this time"
        return Refusal("missing_issuer", message, cure, **details)
    root = BY_SUBJECT.get(issuer)
    if root is not None:
        return _missing_root(root, trust, details, fetching)
    if is_ca(gap.below):
        cure += " If it is a root that you trust, name it in anchors instead: intermediates are not trusted."
    return Refusal("missing_issuer", f"the certificate of {issuer} is missing", cure, **details)


def _forgery(gap: Gap, issuer: str, cure: str, details: dict[str, Any]) -> Refusal:
    below = gap.below.subject.rfc4514_string()
    if gap.key_is_named:
        message = f"the certificate of {issuer} is at hand, but it did not sign that of {below}: altered or forged"
        return Refusal("chain_invalid", message, **details)
    message = f"a certificate of {issuer} is at hand, but it did not sign that of {below}, which names another key"
    return Refusal(
        "chain_invalid", message, f"{HOSTILE} The only harmless cause is a new key of that CA: {cure}", **details
    )


def _stale_anchor(anchor: x509.Certificate, at: datetime, details: dict[str, Any]) -> Refusal:
    span = describe(anchor)
    return Refusal(
        "certificate_not_current",
        f"the root {span['subject']} is valid from {span['not_before']} to {span['not_after']}, and it is {iso(at)}",
        "Name a root that is valid at this time in anchors. If this one should be, compare the controller's clock; "
        "for stored evidence give verify_at.",
        **details,
    )


def _untrusted_root(root: x509.Certificate, issuer: str, details: dict[str, Any]) -> Refusal:
    known = BY_SUBJECT.get(issuer)
    if known is None:
        return Refusal("untrusted_root", f"the chain ends in {issuer}, which is no trust anchor here", **details)
    if fingerprint(root) == known.sha256:
        return _excluded_root(known, details)
    message = f"the chain ends in a certificate that bears the name of {known.name}, but is not that root"
    return Refusal("untrusted_root", message, HOSTILE, **details)


def _excluded_root(root: Root, details: dict[str, Any]) -> Refusal:
    return Refusal(
        "untrusted_root",
        f"the chain leads to {root.name}, a built-in root, and builtin_anchors is false",
        "Set builtin_anchors to true, or name the certificate of that root in anchors.",
        **details,
    )


def _missing_root(root: Root, trust: Trust, details: dict[str, Any], fetching: bool) -> Refusal:
    if not trust.builtin:
        return _excluded_root(root, details)
    where = f"in none of the controller's CA bundles ({', '.join(trust.bundles) or 'there are none'})"
    get = f"download {root.url} to a file on the controller and name it in anchors"
    remedy = _get(get, [a for a in details["attempts"] if a["url"] in (root.url, *details["urls"])], fetching)
    remedy += " A CA bundle that has it, such as a newer or older ca-certificates or certifi, will do as well."
    others = [url for url in details["urls"] if url != root.url and is_allowed(url)]
    if others:
        remedy += f" If {others[0]} is a cross-signed certificate, it belongs in intermediates."
    details = {**details, "root": root.name, "sha256": root.sha256, "bundles": list(trust.bundles)}
    return Refusal("missing_root", f"the root {root.name} (SHA-256 {root.sha256}) is {where}", remedy, **details)


def _cure(issuer: str, urls: list[str], attempts: list[dict[str, str]], fetching: bool) -> str:
    """How to come by the certificate of an issuer that is no root."""
    if not urls:
        return f"Name a file with the certificate of {issuer} in intermediates."
    allowed = [url for url in urls if is_allowed(url)]
    if not allowed:
        return (
            f"The certificate below it names {urls[0]}, which is none of the addresses of Azure's CAs, so nothing is "
            f"fetched from there. Name a file with the certificate of {issuer} in intermediates."
        )
    return _get(f"download {allowed[0]} to a file on the controller and name it in intermediates", attempts, fetching)


def _get(download: str, attempts: list[dict[str, str]], fetching: bool) -> str:
    """How to come by a certificate that has an address, in view of what was tried."""
    if not fetching:
        return f"{download[0].upper()}{download[1:]}, or let the controller fetch it (fetch_intermediates: auto)."
    if any(attempt["outcome"] == NO_REQUESTS for attempt in attempts):
        return (
            "Install the Python library requests for the Python that runs Ansible on the controller "
            f"(python3 -m pip install requests), so that it can be fetched, or {download}."
        )
    if not attempts:
        return f"{download[0].upper()}{download[1:]}: the controller fetches no more than a few for one document."
    tried = "; ".join(f"{attempt['url']} ({attempt['outcome']})" for attempt in attempts)
    return f"The controller tried {tried}. Let it reach one of these, through its proxy if it has one, or {download}."
