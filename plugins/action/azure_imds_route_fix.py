# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of azure_imds_route_fix: have the host collect, diagnose, plan, have the host carry it out.

What is asked of the host and what it answers is written down in ``module_utils/_routes/host/target.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.imds.azure.plugins.module_utils import _route_fix
from ansible_collections.imds.azure.plugins.module_utils._imds import options as imds_options
from ansible_collections.imds.azure.plugins.module_utils._routes import linux_report as linux
from ansible_collections.imds.azure.plugins.module_utils._routes import table
from ansible_collections.imds.azure.plugins.module_utils._routes.findings import Finding
from ansible_collections.imds.azure.plugins.module_utils._routes.host.probe import Answer
from ansible_collections.imds.azure.plugins.module_utils._routes.options import Wishes, read_wishes
from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary, find_primary
from ansible_collections.imds.azure.plugins.module_utils._routes.table import ReportError, State
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan import route_print
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan import windows_report as windows
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.diagnose import describe, diagnose, verdicts
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import Plan, plain_steps, plan, predict

MODULE = "imds.azure.azure_imds_route_fix"
READERS = {table.LINUX: linux.read, table.WINDOWS: windows.read}
LONGEST_TRY = 60
MOST_RETRIES = 10
# What the task says to the user, and the host must not.
OWN_OPTIONS = ("route_print", "fail_on_findings", "request")


class Case(NamedTuple):
    """One host as it was collected: what was reported, read, wished and planned."""

    report: Mapping[str, Any]
    state: State
    wishes: Wishes
    primary: Primary
    findings: tuple[Finding, ...]
    plan: Plan


class HostFailureError(Exception):
    """The module ended without an answer. ``result`` is what it said."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(str(result.get("msg")))
        self.result = result


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(_route_fix.argument_spec())
        try:
            wishes = check(options)
        except (ValueError, imds_options.OptionError) as error:
            raise AnsibleActionFail(str(error)) from None
        if options["route_print"] is not None:
            return analyze(options, wishes)
        try:
            return self._fix(options, wishes, task_vars)
        except HostFailureError as failure:
            return failure.result

    def _fix(self, options: dict[str, Any], wishes: Wishes, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """
        :raises HostFailureError: where the module fails
        """
        looks_only = wishes.state == "query" or self._task.check_mode
        answer = self._ask(options, {"mode": "collect", "recover": not looks_only}, task_vars)
        recovered = bool(answer.get("recovered"))
        try:
            case = make_case(answer["report"], wishes)
        except ReportError as error:
            return {"changed": recovered, "recovered": recovered, "failed": True, "msg": unreadable(error)}
        result = {**describe_case(case), "changed": recovered, "recovered": recovered}
        if looks_only:
            return self._foretell(case, result, options)
        if case.plan.refusals:
            return {**result, "failed": True, "msg": refusal(case.plan.refusals)}
        if case.plan.satisfied and (wishes.state == "absent" or not options["verify"] or result["verified"]):
            return {**result, "diff": difference(case.state, case.primary, case.state)}
        return self._carry_out(case, result, options, task_vars)

    def _foretell(self, case: Case, result: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """Query and check mode: what is, and what would be."""
        query = case.wishes.state == "query"
        result["predicted_winner"] = case.plan.predicted
        if case.report.get("unfinished"):
            result["warnings"] = ["An earlier run was killed. The next one takes back what it began."]
        if query:
            return judge(result, options)
        if case.plan.refusals:
            return {**result, "failed": True, "msg": refusal(case.plan.refusals)}
        return {
            **result,
            "changed": bool(case.plan.steps) or bool(case.report.get("unfinished")),
            "diff": difference(case.state, case.primary, case.plan.after),
        }

    def _carry_out(
        self, case: Case, result: dict[str, Any], options: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The steps, if there are any, and the proof."""
        mac = case.primary.interface.mac if case.primary.interface else ""
        request = {
            "mode": "apply",
            "steps": plain_steps(case.state, case.plan.steps),
            "expect": {"address": case.primary.address, "mac": mac},
            "backend": case.state.persistence,
            "verify": options["verify"] and case.wishes.state == "present",
            "rollback": options["rollback"],
            "retries": options["verify_retries"],
        }
        try:
            answer = self._ask(options, request, task_vars)
        except HostFailureError as failure:
            return {**result, **failure.result, "changed": result["recovered"]}
        proof = answer["proof"]
        result.update(
            verified=None if proof is None else proof["verified"],
            proof=proof,
            rolled_back=answer["rolled_back"],
            tables=answer["tables"],
            changed=result["recovered"]
            or (bool(case.plan.steps) and not (answer["rolled_back"] and answer["restored"])),
        )
        said = failure_of(case, answer)
        try:
            after = read(answer["report"])
        except ReportError as error:
            said = f"{said} {unreadable(error)}".strip()
        else:
            result.update(describe_state(after, case.primary), diff=difference(case.state, case.primary, after))
        return {**result, "failed": True, "msg": said} if said else result

    def _ask(
        self, options: dict[str, Any], request: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module on the host.

        :raises HostFailureError: where it ends without an answer
        """
        given = {name: value for name, value in options.items() if value is not None and name not in OWN_OPTIONS}
        # Who names the twin means the twin, whatever the connection would choose.
        module = f"{MODULE}_windows" if self._task.action.endswith("_windows") else MODULE
        answer: dict[str, Any] = self._execute_module(module, {**given, "request": request}, task_vars=task_vars)
        if answer.get("failed") or answer.get("unreachable") or "report" not in answer:
            raise HostFailureError({"changed": False, "failed": True, "msg": "The host returned no report.", **answer})
        return answer


def check(options: Mapping[str, Any]) -> Wishes:
    """The options, before anybody is asked anything.

    :raises ValueError: naming the option
    """
    if options["request"] is not None:
        raise ValueError("request: made by the action plugin only. Leave it out.")
    wishes = read_wishes(options)
    imds_options.settings(options)
    if not 0 < options["verify_timeout"] <= LONGEST_TRY:
        raise ValueError(f"verify_timeout: give more than 0 and at most {LONGEST_TRY} seconds")
    if not 0 <= options["verify_retries"] <= MOST_RETRIES:
        raise ValueError(f"verify_retries: give 0 to {MOST_RETRIES}")
    return wishes._replace(force=wishes.force or options["detect"] == "force")


def analyze(options: Mapping[str, Any], wishes: Wishes) -> dict[str, Any]:
    """The diagnosis of a printed route table. Nobody is contacted."""
    state = route_print.read(options["route_print"])
    if not state.routes:
        return {
            "changed": False,
            "failed": True,
            "msg": "route_print: no route was recognized. Give the whole text that route print prints.",
        }
    case = plan_case({}, state, wishes)
    result = {**describe_case(case), "changed": False, "recovered": False, "predicted_winner": case.plan.predicted}
    return judge(result, options)


def judge(result: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Findings alone are a failure only where that is asked for."""
    errors = [one["message"] for one in result["findings"] if one["severity"] == "error"]
    if errors and options["fail_on_findings"]:
        return {**result, "failed": True, "msg": " ".join(errors)}
    return result


def read(report: Mapping[str, Any]) -> State:
    """The state that a report of either system describes.

    :raises ReportError: where it can't be read
    """
    system = str(report.get("system"))
    if system not in READERS:
        raise ReportError(f"unknown system {system!r}")
    return READERS[system](report)


def make_case(report: Mapping[str, Any], wishes: Wishes) -> Case:
    """All that can be said about a report.

    :raises ReportError: where it can't be read
    """
    return plan_case(report, read(report), wishes)


def plan_case(report: Mapping[str, Any], state: State, wishes: Wishes) -> Case:
    planned = plan(state, wishes)
    found = diagnose(state, wishes)
    known = {(one.code, one.message) for one in found.findings}
    more = [one for one in (*planned.notes, *planned.refusals) if (one.code, one.message) not in known]
    return Case(report, state, wishes, find_primary(state, wishes), (*found.findings, *more), planned)


def describe_case(case: Case) -> dict[str, Any]:
    """The result keys, for a host on which nothing has been done yet."""
    proof = earlier_proof(case)
    return {
        "findings": [one.as_dict() for one in case.findings],
        "primary": case.primary.as_dict(),
        **describe_state(case.state, case.primary),
        "plan": [
            {"action": step.action, "target": step.target, "reason": step.reason, "phase": step.phase}
            for step in case.plan.steps
        ],
        "persistence": case.state.persistence,
        "errors": list(case.state.errors),
        "verified": None if proof is None else proof["verified"],
        "proof": proof,
        "rolled_back": False,
    }


def describe_state(state: State, primary: Primary) -> dict[str, Any]:
    """``winner``, ``source`` and ``host_routes`` of a state."""
    winner = predict(state, primary)
    stored = [row._replace(table="persistent") for row in state.persistent or ()]
    rows = [*table.host_routes(state), *stored]
    return {
        "winner": winner,
        "source": winner["source"],
        "host_routes": [table.as_row(state, row) for row in rows],
    }


def earlier_proof(case: Case) -> dict[str, Any] | None:
    """What the request tells that was made while collecting; nothing where none was made."""
    asked = case.report.get("imds")
    if not asked:
        return None
    interfaces = tuple((mac, tuple(addresses)) for mac, addresses in asked["interfaces"])
    answer = Answer(asked["outcome"], asked["detail"], asked["local_address"], interfaces)
    mac = case.primary.interface.mac if case.primary.interface else ""
    fault = answer.judge(case.primary.address, mac)
    return {
        "verified": not fault,
        "outcome": answer.outcome,
        "detail": fault or answer.detail,
        "local_address": answer.local_address,
        "tries": 1,
    }


def unreadable(error: ReportError) -> str:
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
        said = "IMDS does not answer the primary address as it should"
        said += f" although the route is as wished ({answer['error']})." if not steps else f" ({answer['error']})."
    else:
        said = f"A step failed ({answer['error']})."
    if answer["undo_errors"]:
        problems = "; ".join(answer["undo_errors"])
        said += f" The repair could not be taken back ({problems}); the next run tries again."
    elif answer["rolled_back"]:
        said += " The repair was taken back" + ("." if answer["restored"] else ", but the table is not what it was.")
    elif steps:
        said += " The repair stands."
    return said


def difference(before: State, primary: Primary, after: State) -> dict[str, str]:
    """A small route table, for --diff."""
    head = {"before_header": table.IMDS, "after_header": table.IMDS}
    return {**head, "before": as_text(before, primary), "after": as_text(after, primary)}


def as_text(state: State, primary: Primary) -> str:
    """The winner, then one line per row for IMDS."""
    winner, _bound = verdicts(state, primary)
    lines = [("winner", describe(winner))]
    stored = [row._replace(table="persistent") for row in state.persistent or ()]
    for row in (*table.host_routes(state), *stored):
        way = f"via {row.next_hop}" if row.next_hop else "on-link"
        kind = "" if row.kind == "unicast" else f"{row.kind} "
        text = f"{kind}{row.prefix} {way} on {row.interface or '-'}"
        text += f" from {row.source}" if row.source else ""
        lines.append((row.table, f"{text} metric {table.effective_metric(state, row)}"))
    return "".join(f"{name:<12}{text}\n" for name, text in lines)
