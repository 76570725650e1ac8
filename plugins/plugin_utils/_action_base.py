# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that this collection uses of Ansible's action plugins, connections, shells and become plugins, by name.

None of these has a stable interface that is documented in full. Each is used by action plugins of several other
collections, and the integration tests run on every supported ansible-core.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean

AUTOMATIC = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")


def shell_family(plugin: Any) -> str:
    """sh, csh, fish, powershell or cmd, of the shell plugin that fits the host."""
    return str(getattr(plugin._connection._shell, "SHELL_FAMILY", ""))


def transport(plugin: Any) -> str:
    """The connection plugin's name, without its collection."""
    return str(plugin._connection.transport).rpartition(".")[2]


def become_method(plugin: Any) -> str | None:
    """The become plugin's name, without its collection; None without become."""
    become = plugin._connection.become
    return str(become.name).rpartition(".")[2] if become else None


def runs_modules_here(plugin: Any) -> bool:
    """Whether the host runs no modules, so that they run on the controller, as for network devices."""
    return bool(getattr(plugin._connection, "_remote_is_local", False))


def is_async(plugin: Any) -> bool:
    return bool(plugin._task.async_val)


def keeps_remote_files() -> bool:
    return bool(constants.DEFAULT_KEEP_REMOTE_FILES)


def interpreter(plugin: Any, task_vars: Mapping[str, Any]) -> str | None:
    """The host's Python with its arguments, as modules would be run; None where it has yet to be discovered."""
    delegate = plugin._task.delegate_to
    host_vars = (task_vars.get("ansible_delegated_vars") or {}).get(delegate) or {} if delegate else task_vars
    configured = host_vars.get("ansible_python_interpreter", constants.INTERPRETER_PYTHON)
    chosen = str(plugin._templar.template(configured) or "").strip()
    if chosen and chosen not in AUTOMATIC:
        return chosen
    found = (host_vars.get("ansible_facts") or {}).get("discovered_interpreter_python")
    return str(found) if found else None


def environment(plugin: Any) -> dict[str, str]:
    """The task's environment: what its play, its blocks and itself say, the innermost last."""
    merged: dict[str, str] = {}
    for level in plugin._task.environment or ():
        values = plugin._templar.template(level) or {}
        merged.update({str(name): str(value) for name, value in values.items()})
    return merged


def can_pipeline(plugin: Any) -> bool:
    """Whether the connection takes standard input for a command."""
    return bool(plugin._connection.has_pipelining)


def wants_pipelining(plugin: Any) -> bool:
    """Whether the user says that modules shall reach the host on standard input, whatever the become method."""
    try:
        return bool(plugin._connection.get_option("pipelining"))
    except KeyError:
        return False


def run_command(plugin: Any, command: str, standard_input: bytes | None) -> str:
    """Standard output of one command on the host, become included.

    :raises AnsibleConnectionFailure: the host can't be reached
    """
    return str(plugin._low_level_execute_command(command, in_data=standard_input)["stdout"])


def run_module(plugin: Any, task_vars: dict[str, Any], name: str | None = None, arguments: Any = None) -> Any:
    """The result of an ordinary module run, by default of the task's own module with the task's arguments."""
    return plugin._execute_module(name, arguments, task_vars=task_vars, wrap_async=is_async(plugin))


def say(plugin: Any, sentence: str, task_vars: Mapping[str, Any]) -> None:
    """Show a sentence to whoever runs with -vvv."""
    plugin._display.vvv(sentence, host=task_vars.get("inventory_hostname"))


def shows_invocation(task_vars: Mapping[str, Any]) -> bool:
    """Whether results are to contain the module's arguments: always, before ansible-core made it an option."""
    configured = getattr(constants, "INJECT_INVOCATION", True)
    return bool(boolean(task_vars.get("ansible_inject_invocation", configured), strict=False))
