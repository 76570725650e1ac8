# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of facts, reasons, roots and findings as reStructuredText."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.imds.azure.plugins.module_utils._imds import fields, reasons
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
    return table(("Fact", "Type", "Source", "Since"), rows)


def reason_table() -> list[str]:
    rows = [(f"``{reason.code}``", reason.meaning, reason.remedy) for reason in reasons.REASONS.values()]
    return table(("Code", "Meaning", "Remedy"), rows)


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
