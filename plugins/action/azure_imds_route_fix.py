# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of azure_imds_route_fix: have the host collect, diagnose, plan, have the host carry it out.

What is asked of the host and what it answers is written down in ``module_utils/_routes/host/target.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.imds.azure.plugins.module_utils import _route_fix
from ansible_collections.imds.azure.plugins.module_utils._imds import options as imds_options
from ansible_collections.imds.azure.plugins.module_utils._routes.common_report import check_size
from ansible_collections.imds.azure.plugins.module_utils._routes.model import ReportError
from ansible_collections.imds.azure.plugins.module_utils._routes.options import RouteOptions, parse_options
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan import result as results
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.answers import (
    HostFailureError,
    read_carried_out,
    read_looked,
    require_report,
)
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.evaluation import Evaluation
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.plan import plain_steps
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.report import read_report
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.result import Case
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.route_print import parse_route_print
from ansible_collections.imds.azure.plugins.plugin_utils._route_plan.trials import others
from ansible_collections.imds.azure.plugins.plugin_utils._task_options import unknown_options

MODULE = "imds.azure.azure_imds_route_fix"
LONGEST_TRY = 60
MOST_RETRIES = 10
# What the task says to the user, and the host must not.
OWN_OPTIONS = ("route_print", "fail_on_findings", "request")


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        unknown = unknown_options(self._task.args, _route_fix.argument_spec(), MODULE, internal=("request",))
        if unknown:
            raise AnsibleActionFail(unknown)
        _validation, given = self.validate_argument_spec(_route_fix.argument_spec())
        try:
            options = check(given)
        except (ValueError, imds_options.OptionError) as error:
            raise AnsibleActionFail(str(error)) from None
        if given["route_print"] is not None:
            return analyze(given, options)
        try:
            return self._fix(given, options, task_vars)
        except HostFailureError as failure:
            return failure.result

    def _fix(self, given: dict[str, Any], options: RouteOptions, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """
        :raises HostFailureError: where the module fails
        """
        looks_only = options.state == "query" or self._task.check_mode
        answer = self._ask(given, {"mode": "collect", "recover": not looks_only}, task_vars)
        looked = read_looked(answer)
        result: dict[str, Any] = {"changed": looked.recovered, "recovered": looked.recovered}
        result.update({"warnings": list(looked.notes)} if looked.notes else {})
        try:
            host = Evaluation(read_report(looked.report), options)
        except ReportError as error:
            return {**result, "failed": True, "msg": results.unreadable(error)}
        case = results.make_case(looked.report, host)
        result.update(results.describe_case(case))
        if looks_only:
            return self._foretell(case, result, given)
        if case.plan.refusals:
            return {**result, "failed": True, "msg": results.refusal(case.plan.refusals)}
        proven = not given["verify"] or result["verified"] or results.is_undecided(case)
        if case.plan.satisfied and (options.state == "absent" or proven):
            return results.with_agent_warning({**result, "diff": results.difference(host, host)}, case)
        return self._try_candidates(case, result, given, task_vars)

    def _foretell(self, case: Case, result: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """Query and check mode: what is, and what would be."""
        result["predicted_winner"] = case.plan.predicted
        unfinished = bool(case.report.get("unfinished"))
        if unfinished:
            killed = "An earlier run was killed. The next one rolls back what it began."
            result["warnings"] = [*result.get("warnings", ()), killed]
        if case.host.options.state == "query":
            return results.judge(result, given["fail_on_findings"])
        if case.plan.refusals:
            return {**result, "failed": True, "msg": results.refusal(case.plan.refusals)}
        diff = results.difference(case.host, case.plan.after)
        return {**result, "changed": bool(case.plan.steps) or unfinished, "diff": diff}

    def _try_candidates(
        self, case: Case, result: dict[str, Any], given: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The plan; where it rests on an assumption that proves wrong, the same for the other candidates."""
        done = self._carry_out(case, dict(result), given, task_vars)
        tried = [results.trial(case, done)]
        for candidate in others(case.host) if results.may_go_on(case, done, given) else ():
            request = {"mode": "collect", "recover": False, "ask": False}
            named = {"interface": candidate.interface, "primary_ip": candidate.address}
            try:
                looked = read_looked(self._ask({**given, **named}, request, task_vars))
                other = results.make_trial(case, read_report(looked.report), looked.report, candidate)
            except (HostFailureError, ReportError) as error:
                tried.append(results.failed_trial(candidate, str(error)))
                continue
            if other.plan.refusals:
                tried.append(results.failed_trial(candidate, results.refusal(other.plan.refusals)))
                continue
            again = self._carry_out(other, {**result, **results.describe_case(other)}, given, task_vars)
            if not again.get("failed"):
                return {**again, "findings": result["findings"], "candidates": [*tried, results.trial(other, again)]}
            tried.append(results.trial(other, again))
            if not results.may_go_on(other, again, given):
                return results.after_trials(again, tried)
        return results.after_trials(done, tried) if done.get("failed") and len(tried) > 1 else done

    def _carry_out(
        self, case: Case, result: dict[str, Any], given: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The steps, if there are any, and the proof."""
        host = case.host
        request = {
            "mode": "apply",
            "steps": plain_steps(host.state, case.plan.steps),
            "expect": {"address": host.primary.address, "mac": host.primary.mac, "interface": host.primary.name},
            "digest": case.report.get("digest"),
            "backend": host.state.persistence,
            "verify": given["verify"] and host.options.state == "present",
            "rollback": given["rollback"],
            "retries": given["verify_retries"],
        }
        try:
            answer = read_carried_out(self._ask(given, request, task_vars), host.primary)
        except HostFailureError as failure:
            return {**result, **failure.result, "changed": result["recovered"]}
        return results.describe_outcome(case, result, answer)

    def _ask(self, given: dict[str, Any], request: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Run the module on the host.

        :raises HostFailureError: where it ends without an answer
        """
        passed = {name: value for name, value in given.items() if value is not None and name not in OWN_OPTIONS}
        # Who names the twin means the twin, whatever the connection would choose.
        module = f"{MODULE}_windows" if self._task.action.endswith("_windows") else MODULE
        answer: dict[str, Any] = self._execute_module(module, {**passed, "request": request}, task_vars=task_vars)
        return require_report(answer)


def check(given: Mapping[str, Any]) -> RouteOptions:
    """The options, before anybody is asked anything.

    :raises ValueError: naming the option
    """
    if given["request"] is not None:
        raise ValueError("request: made by the action plugin only. Leave it out.")
    options = parse_options(given)
    imds_options.settings(given)
    if not 0 < given["verify_timeout"] <= LONGEST_TRY:
        raise ValueError(f"verify_timeout: give more than 0 and at most {LONGEST_TRY} seconds")
    if not 0 <= given["verify_retries"] <= MOST_RETRIES:
        raise ValueError(f"verify_retries: give 0 to {MOST_RETRIES}")
    return options._replace(force=options.force or given["detect"] == "force")


def analyze(given: Mapping[str, Any], options: RouteOptions) -> dict[str, Any]:
    """The diagnosis of a printed route table. Nobody is contacted."""
    try:
        check_size({"route_print": given["route_print"]})
    except ReportError as error:
        return {"changed": False, "failed": True, "msg": f"route_print: {error}"}
    state = parse_route_print(given["route_print"])
    if not state.routes:
        said = "route_print: no route was recognized. Give the whole text that route print prints."
        return {"changed": False, "failed": True, "msg": said}
    case = results.make_case({}, Evaluation(state, options))
    result = {**results.describe_case(case), "changed": False, "recovered": False}
    return results.judge({**result, "predicted_winner": case.plan.predicted}, given["fail_on_findings"])
