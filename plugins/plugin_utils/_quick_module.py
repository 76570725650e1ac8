# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that only reads: in one remote command where the host allows it, else as an ordinary module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.imds.azure.plugins.module_utils._imds.outcome import Outcome

from . import _action_base, _one_command, _one_command_windows
from ._declined import DeclinedError

MODULE, ONE_COMMAND = "module", "one_command"
# Shell family -> how a host of that kind is asked without a module.
WAYS = {"sh": _one_command.ask, "cmd": _one_command_windows.ask, "powershell": _one_command_windows.ask}


def run(plugin: Any, operation: str, spec: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """The result of a task that is nothing but an operation, the same on both ways.

    :param operation: as of _payload.pack
    :param spec: the module's argument spec
    """
    validated = ArgumentSpecValidator(dict(spec)).validate(plugin._task.args)
    options = validated.validated_parameters
    refusal = _message(validated.errors, plugin._task.action) if validated.error_messages else None
    result, delivery = deliver(
        plugin, operation, options, task_vars, lambda: _action_base.run_module(plugin, task_vars), refusal
    )
    if delivery != MODULE and _action_base.shows_invocation(task_vars):
        result["invocation"] = {"module_args": options}
    return result


def deliver(
    plugin: Any,
    operation: str,
    options: Mapping[str, Any],
    task_vars: Mapping[str, Any],
    run_module: Callable[[], dict[str, Any]],
    refusal: str | None = None,
) -> tuple[dict[str, Any], str]:
    """An operation's result as a module returns it, and the way it was had.

    :param options: those that the operation needs, validated
    :param run_module: the ordinary way
    :param refusal: what is wrong with the task's options; nobody is asked then
    """
    name = plugin._task.action
    try:
        ask = _way(plugin)
        outcome = Outcome({}, [], refusal) if refusal else ask(plugin, operation, options, task_vars)
    except DeclinedError as declined:
        _action_base.say(plugin, f"{name}: delivery {MODULE}, because {declined}", task_vars)
        return run_module(), MODULE
    _action_base.say(plugin, f"{name}: delivery {ONE_COMMAND}", task_vars)
    return module_result(outcome), ONE_COMMAND


def _way(plugin: Any) -> Callable[..., Outcome]:
    """
    :raises DeclinedError: there is none for such a host, or for such a task
    """
    family = _action_base.shell_family(plugin)
    if family not in WAYS:
        raise DeclinedError(f"hosts with a shell of the family {family} have no short way")
    if _action_base.runs_modules_here(plugin):
        raise DeclinedError("modules for this connection run on the controller")
    if _action_base.is_async(plugin):
        raise DeclinedError("the task is asynchronous")
    if _action_base.keeps_remote_files():
        raise DeclinedError("remote files are to be kept, and on the short way there are none")
    return WAYS[family]


def _message(errors: Any, name: str) -> str:
    """What a module says about its options."""
    unsupported = isinstance(errors[0], UnsupportedError)
    return f"Unsupported parameters for ({name}) module: {errors.msg}" if unsupported else str(errors.msg)


def module_result(outcome: Outcome) -> dict[str, Any]:
    """What exit_json and fail_json would make of an outcome."""
    kept = {key: value for key, value in outcome.result.items() if not key.startswith("_ansible_")}
    result: dict[str, Any] = {**kept, "changed": False}
    if outcome.warnings:
        result["warnings"] = outcome.warnings
    if outcome.failure is not None:
        result.update(failed=True, msg=outcome.failure)
    return result
