# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task says about a host: the result's keys, its messages and its diff. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError, State
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply

from .diagnose import diagnose
from .evaluation import Evaluation, describe
from .plan import Plan, plan, predict


class Case(NamedTuple):
    """One host as it was collected: what was reported, what follows from it, and what is planned."""

    report: Mapping[str, Any]
    host: Evaluation
    findings: tuple[Finding, ...]
    plan: Plan


def make_case(report: Mapping[str, Any], host: Evaluation) -> Case:
    """Everything that can be said about a report."""
    planned, found = plan(host), diagnose(host)
    known = {(one.code, one.message) for one in found}
    more = [one for one in (*planned.notes, *planned.refusals) if (one.code, one.message) not in known]
    return Case(report, host, (*found, *more), planned)


def describe_case(case: Case) -> dict[str, Any]:
    """The result's keys for a host on which nothing has been done yet."""
    proof = _earlier_proof(case)
    return {
        "findings": [one.as_dict() for one in case.findings],
        "primary": case.host.primary.as_dict(),
        **describe_host(case.host),
        "plan": [
            {"action": step.action, "target": step.target, "reason": step.reason, "phase": step.phase}
            for step in case.plan.steps
        ],
        "persistence": case.host.state.persistence,
        "errors": list(case.host.state.errors),
        "verified": None if proof is None else proof["verified"],
        "proof": proof,
        "rolled_back": False,
    }


def describe_host(host: Evaluation) -> dict[str, Any]:
    """``winner``, ``source`` and ``host_routes``."""
    winner = predict(host)
    rows = [*model.host_routes(host.state), *_stored(host.state)]
    return {
        "winner": winner,
        "source": winner["source"],
        "host_routes": [model.as_row(host.state, row) for row in rows],
    }


def difference(before: Evaluation, after: Evaluation) -> dict[str, str]:
    """A small route table, for --diff."""
    head = {"before_header": ipv4.IMDS, "after_header": ipv4.IMDS}
    return {**head, "before": _as_text(before), "after": _as_text(after)}


def judge(result: dict[str, Any], fail_on_findings: bool) -> dict[str, Any]:
    """Findings alone are a failure only where that is asked for."""
    errors = [one["message"] for one in result["findings"] if one["severity"] == "error"]
    if errors and fail_on_findings:
        return {**result, "failed": True, "msg": " ".join(errors)}
    return result


def unreadable(error: ReportError) -> str:
    """A report can't be read."""
    return f"What the host reports can't be read: {error}"


def refusal(refusals: tuple[Finding, ...]) -> str:
    """Why nothing is done, and what to do about it."""
    return "Nothing was changed. " + " ".join(f"{one.message} {one.remedy}".strip() for one in refusals)


def failure_of(case: Case, answer: Mapping[str, Any]) -> str:
    """What is wrong after the steps; empty where nothing is."""
    if not answer["error"]:
        return ""
    proof, steps = answer["proof"], bool(case.plan.steps)
    if proof is not None and not proof["verified"]:
        although = "" if steps else " although the route is as it should be"
        said = f"IMDS does not answer the primary address as it should{although} ({answer['error']})."
    else:
        said = f"A step failed ({answer['error']})."
    if answer["undo_errors"]:
        problems = "; ".join(answer["undo_errors"])
        said += f" The repair could not be rolled back ({problems}); the next run tries again."
    elif answer["rolled_back"]:
        said += " The repair was rolled back" + ("." if answer["restored"] else ", but the table is not what it was.")
    elif steps:
        said += " The repair stands."
    return said


def _earlier_proof(case: Case) -> dict[str, Any] | None:
    """What the request tells that was made while collecting; nothing where none was made."""
    asked = case.report.get("imds")
    if not asked:
        return None
    interfaces = tuple((mac, tuple(addresses)) for mac, addresses in asked["interfaces"])
    reply = ImdsReply(asked["outcome"], asked["detail"], asked["local_address"], interfaces)
    primary = case.host.primary
    fault = reply.judge(primary.address, primary.mac)
    return {
        "verified": not fault,
        "outcome": reply.outcome,
        "detail": fault or reply.detail,
        "local_address": reply.local_address,
        "tries": 1,
    }


def _stored(state: State) -> list[model.Route]:
    return [row._replace(table="persistent") for row in state.persistent or ()]


def _as_text(host: Evaluation) -> str:
    """The winner, then one line per row for IMDS."""
    lines = [("winner", describe(host.winner))]
    for row in (*model.host_routes(host.state), *_stored(host.state)):
        way = f"via {row.next_hop}" if row.next_hop else "on-link"
        kind = "" if row.kind == "unicast" else f"{row.kind} "
        text = f"{kind}{row.prefix} {way} on {row.interface or '-'}"
        text += f" from {row.source}" if row.source else ""
        lines.append((row.table, f"{text} metric {model.effective_metric(host.state, row)}"))
    return "".join(f"{name:<12}{text}\n" for name, text in lines)
