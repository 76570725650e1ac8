# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of facts, reasons, roots and findings as reStructuredText."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.imds.azure.plugins.module_utils._identity import resources, vault
from ansible_collections.imds.azure.plugins.module_utils._imds import fields, reasons, retry
from ansible_collections.imds.azure.plugins.module_utils._routes import findings
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import reasons as verdicts
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import roots

from . import facts


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A list-table between blank lines, as a comment around it needs them."""
    lines = ["", ".. list-table::", "   :header-rows: 1", ""]
    for row in (headings, *rows):
        for number, cell in enumerate(row):
            lines.append(f"   {' ' if number else '*'} - {cell}".rstrip())
    return [*lines, ""]


def fact_table() -> list[str]:
    rows = [
        (f"``{field.fact}``", facts.KINDS[field.kind].page, f"``{field.source}``", field.since)
        for field in fields.FIELDS
    ]
    rows += [(f"``{fact}``", facts.KINDS["guest"].page, "the guest", "") for fact in fields.GUEST_FACTS]
    return table(("Fact", "Type", "Source", "Since"), rows)


def reason_table() -> list[str]:
    rows = [(f"``{reason.code}``", reason.meaning, reason.remedy) for reason in reasons.REASONS.values()]
    return table(("Code", "Meaning", "Remedy"), rows)


def vault_reason_table() -> list[str]:
    rows = [(f"``{reason.code}``", reason.meaning, reason.remedy) for reason in vault.REASONS.values()]
    return table(("Code", "Meaning", "Remedy"), rows)


def resource_table() -> list[str]:
    rows = [(f"``{name}``", *(f"``{uri}``" if uri else "" for uri in uris)) for name, uris in resources.NAMES.items()]
    return table(("Name", *(f"``{cloud}``" for cloud in resources.CLOUDS)), rows)


def verdict_table() -> list[str]:
    rows = [(f"``{code}``", *reason) for code, reason in verdicts.REASONS.items()]
    return table(("Code", "Step", "Meaning", "Remedy"), rows)


def root_table() -> list[str]:
    rows = [
        (root.name, f"``{root.sha256}``", str(root.expires), f"{root.source} ({root.source_date:%Y-%m})")
        for root in roots.ROOTS
    ]
    return table(("Root", "SHA-256", "Expires", "Source"), rows)


def finding_table() -> list[str]:
    rows = [(f"``{code}``", *texts) for code, texts in findings.TABLE.items() if texts[0] != "refusal"]
    return table(("Finding", "Severity", "Message", "Remedy"), rows)


def refusal_table() -> list[str]:
    rows = [(f"``{code}``", *texts[1:]) for code, texts in findings.TABLE.items() if texts[0] == "refusal"]
    return table(("Refusal", "Message", "Remedy"), rows)


# What a user sees -> the outcomes of retry.RULES that stand for it: all except ok, and bad_version, which steps down.
_SEEN = {
    "410": ("updating",),
    "429": ("throttled",),
    "408, 5xx": ("server_error",),
    "404 on a path that every VM has": ("missing_root",),
    "no answer in time, connection lost": ("read_timeout", "reset"),
    "no connection": ("refused", "no_route", "route_prohibited", "connect_timeout"),
    "an answer that is incomplete or not from IMDS": ("malformed", "intercepted"),
    "400, 401, 403, 405, 421, 404 elsewhere, an answer that is too large": (
        *("rejected", "forbidden", "missing", "too_large"),
    ),
}


def retry_table() -> list[str]:
    """
    :raises ValueError: where outcomes of one row differ, or an outcome is in no row
    """
    told = {outcome for outcomes in _SEEN.values() for outcome in outcomes}
    if told != set(retry.RULES) - {"ok", "bad_version"}:
        raise ValueError(f"not the outcomes of retry.RULES: {sorted(told ^ set(retry.RULES))}")
    rows = []
    for seen, outcomes in _SEEN.items():
        (rule,) = {(retry.RULES[one].waits, retry.RULES[one].jitter) for one in outcomes}
        rows.append((seen, str(len(rule[0])), _waits(outcomes[0], *rule)))
    return table(("Seen", "Further tries", "Waits in seconds"), rows)


def _waits(outcome: str, waits: Sequence[float], jitter: float) -> str:
    text = f"{waits[0]:g} each" if len(set(waits)) == 1 < len(waits) else ", ".join(f"{wait:g}" for wait in waits)
    if jitter:
        text += f", and up to {jitter:.0%} more at random"
    if outcome == "updating":
        text += "; ``updating_timeout`` is the deadline for these"
    return f"``Retry-After`` if it is sent, else {text}" if outcome == "throttled" else text


def cloud_table() -> list[str]:
    rows = [(f"``{cloud}``", *(f"``{value}``" for value in urls.values())) for cloud, urls in fields.CLOUDS.items()]
    return table(("Cloud", *(f"``{name}``" for name in next(iter(fields.CLOUDS.values())))), rows)
