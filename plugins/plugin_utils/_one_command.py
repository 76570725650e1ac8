# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the IMDS core on a host in one remote command, or declines: then the ordinary module runs instead."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.outcome import Outcome

from . import _action_base
from ._declined import DeclinedError
from ._payload import pack

# Nothing that is installed or set on the host can break the program, and no bytecode is written.
FLAGS = "-BIS"
# Linux takes no argument of 128 KiB or more, and a become plugin quotes the command once more.
LONGEST = 100_000
# Those that are known to hand over a command of this length as it is.
TRANSPORTS = ("ssh", "paramiko", "paramiko_ssh", "local", "docker", "podman", "kubectl")
BECOME_METHODS = ("sudo", "su", "doas")
# Those that leave standard input to the command.
TRANSPARENT = ("sudo", "doas")


def ask(plugin: Any, operation: str, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Outcome:
    """What an operation of the core found on the host.

    :param operation: as of _payload.pack
    :param options: those that it needs, validated
    :raises DeclinedError: the host can't be asked like this, or gave no usable answer
    """
    interpreter = _action_base.interpreter(plugin, task_vars)
    if interpreter is None:
        raise DeclinedError("the host's Python is not known yet")
    marker = f"imds-{secrets.token_hex(8)}:"
    program = pack(operation)
    pipelined = _pipelines(plugin)
    source = ["-"] if pipelined else ["-c", program]
    arguments = [shlex.quote(word) for word in (*source, marker, json.dumps(options))]
    environment = [f"{name}={shlex.quote(value)}" for name, value in _action_base.environment(plugin).items()]
    command = " ".join((*environment, interpreter, FLAGS, *arguments))
    if not pipelined:
        _require_room(plugin, command)
    return read(_action_base.run_command(plugin, command, program.encode() if pipelined else None), marker)


def _pipelines(plugin: Any) -> bool:
    """Whether the program goes on standard input, where no list of processes and no log shows it.

    There is no terminal then, which some hosts want for sudo. That there is no such host, the user says with the option
    pipelining.
    """
    become = _action_base.become_method(plugin)
    allowed = become is None or (become in TRANSPARENT and _action_base.wants_pipelining(plugin))
    return allowed and _action_base.can_pipeline(plugin)


def _require_room(plugin: Any, command: str) -> None:
    """
    :raises DeclinedError: the command may be too long for what takes it to the host
    """
    transport, become = _action_base.transport(plugin), _action_base.become_method(plugin)
    if transport not in TRANSPORTS:
        raise DeclinedError(f"whether the connection plugin {transport} takes commands of this length is not known")
    if become is not None and become not in BECOME_METHODS:
        raise DeclinedError(f"whether the become method {become} takes commands of this length is not known")
    if len(command) > LONGEST:
        raise DeclinedError(f"the command has {len(command)} characters")


def read(output: str, marker: str) -> Outcome:
    """The outcome in what the host printed. Other lines, such as a banner, are ignored.

    :raises DeclinedError: there is none
    """
    lines = [line[len(marker) :] for line in output.splitlines() if line.startswith(marker)]
    try:
        answer = json.loads(lines[-1]) if lines else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise DeclinedError("the host gave no usable answer")
    if "declined" in answer:
        raise DeclinedError(f"on the host, {str(answer['declined'])[:80]!r}")
    result, warnings, failure = (answer.get(name) for name in ("result", "warnings", "failure"))
    if not isinstance(result, dict) or not isinstance(warnings, list) or not isinstance(failure, (str, type(None))):
        raise DeclinedError("the host's answer has another form")
    return Outcome(result, [str(warning) for warning in warnings], failure)
