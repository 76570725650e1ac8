# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task says about a host: the result's keys, its messages and its diff. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import ipv4, model
from ansible_collections.imds.azure.plugins.module_utils._routes.candidates import Candidate
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding, with_remedies
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError, State
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import with_pair
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply

from .answers import CarriedOut, Proof
from .diagnose import diagnose
from .evaluation import Evaluation, describe
from .plan import Plan, plan, predict
from .report import read_report
from .trials import order


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
    findings = with_remedies([*found, *more], bool(planned.steps), planned.refusals)
    return Case(report, host, tuple(findings), planned)


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
        "candidates": [
            {"interface": one.interface, "ip": one.address, "rule": case.host.primary.rule if not place else "trial"}
            for place, one in enumerate(order(case.host))
        ],
        "persistence": case.host.state.persistence,
        "errors": list(case.host.state.errors),
        "verified": None if proof is None else proof.verified,
        "proof": None if proof is None else proof.as_dict(),
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


def describe_outcome(case: Case, result: dict[str, Any], answer: CarriedOut) -> dict[str, Any]:
    """The task's result after the steps and the proof. ``failed``, ``changed`` and ``verified`` are judged here."""
    steps = bool(case.plan.steps)
    proof = answer.proof
    result.update(
        verified=None if proof is None else proof.verified,
        proof=None if proof is None else proof.as_dict(),
        rolled_back=answer.rolled_back,
        tables=answer.tables,
        changed=result["recovered"] or (steps and not (answer.rolled_back and answer.restored)),
    )
    said = _failure(case, answer)
    try:
        after = Evaluation(read_report(answer.report), case.host.options, case.host.primary)
    except ReportError as error:
        said = f"{said} {unreadable(error)}".strip()
    else:
        result.update(describe_host(after), diff=difference(case.host, after))
    warnings = [*result.get("warnings", ()), *answer.notes]
    if proof is not None and proof.reply.undecided and not said:
        warnings.append(_agent_warning(case, proof.reply))
    result.update({"warnings": warnings} if warnings else {})
    return {**result, "failed": True, "msg": said} if said else result


def _failure(case: Case, answer: CarriedOut) -> str:
    """What is wrong after the steps; empty where nothing is."""
    proof, steps = answer.proof, bool(case.plan.steps)
    unproven = proof is not None and not proof.verified and not proof.reply.undecided
    if not answer.error and not unproven and not answer.undo_errors:
        return ""
    if proof is not None and unproven:
        although = "" if steps else " although the route is as it should be"
        said = f"IMDS does not answer the primary address as it should{although} ({proof.fault})."
    else:
        said = f"A step failed ({answer.error})."
    if answer.undo_errors:
        said += f" The repair could not be rolled back ({'; '.join(answer.undo_errors)}); the next run tries again."
    elif answer.rolled_back:
        said += " The repair was rolled back" + ("." if answer.restored else ", but the table is not what it was.")
    elif steps:
        said += " The repair stands."
    return said


# --- the guest proxy agent ----------------------------------------------------------------------------------------


def is_undecided(case: Case) -> bool:
    """Whether the guest proxy agent answered in a way that neither proves nor disproves the route."""
    asked = case.host.state.imds
    return asked is not None and asked.unbound is not None and asked.unbound.undecided


def with_agent_warning(result: dict[str, Any], case: Case) -> dict[str, Any]:
    """The result, with a word about the agent where it decides what a program gets."""
    asked = case.host.state.imds
    if not is_undecided(case) or asked is None or asked.unbound is None:
        return result
    return {**result, "warnings": [*result.get("warnings", ()), _agent_warning(case, asked.unbound)]}


def _agent_warning(case: Case, reply: ImdsReply) -> str:
    agent = case.host.state.agent
    said = f"The route is not proven: the guest proxy agent (Metadata Security Protocol) answered {reply.detail}."
    if agent and agent.rule_id:
        said += f" Rule in force: {agent.rule_id}."
    if agent and agent.refused:
        said += f" Refused lately: {'; '.join(agent.refused[:3])}."
    return said


# --- trials -------------------------------------------------------------------------------------------------------


def make_trial(case: Case, state: State, report: Mapping[str, Any], candidate: Candidate) -> Case:
    """The same host, with another NIC and address taken for the primary ones."""
    state = state._replace(imds=case.host.state.imds)
    return make_case(report, Evaluation(state, case.host.options, with_pair(state, candidate, "trial")))


def may_go_on(case: Case, done: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether a failed proof leaves everything as it was, so that another candidate may be tried."""
    unproven = bool(done.get("failed")) and done.get("verified") is False
    return unproven and given["rollback"] and (bool(done.get("rolled_back")) or not case.plan.steps)


def trial(case: Case, done: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of ``candidates``."""
    primary = case.host.primary
    said = "" if not done.get("failed") else str(done.get("msg"))
    return {"interface": primary.name, "ip": primary.address, "rule": primary.rule, "outcome": said or "proven"}


def failed_trial(candidate: Candidate, why: str) -> dict[str, Any]:
    """One entry of ``candidates`` that was not even tried."""
    return {"interface": candidate.interface, "ip": candidate.address, "rule": "trial", "outcome": why}


def after_trials(done: dict[str, Any], tried: list[dict[str, Any]]) -> dict[str, Any]:
    """The failure, naming every NIC and address that was tried."""
    first = tried[0]
    listed = ", ".join(f"{one['ip']} on {one['interface']}" for one in tried)
    said = (
        f"{done['msg']} The primary NIC was an assumption (rule {first['rule']}), so these were tried: {listed}. "
        "None is answered. Name the right ones with interface or mac_address, and primary_ip."
    )
    return {**done, "msg": said, "candidates": tried}


def _earlier_proof(case: Case) -> Optional[Proof]:
    """What the request tells that was made while collecting; nothing where none was made."""
    asked = case.host.state.imds
    if asked is None or asked.unbound is None:
        return None
    primary = case.host.primary
    return Proof(asked.unbound, asked.unbound.judge(primary.address, primary.mac), 1)


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
