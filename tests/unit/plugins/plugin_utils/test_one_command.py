# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a task is one command, when it is the ordinary module, and what the host sees of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.imds.azure.plugins.action import azure_imds_facts, azure_imds_info
from ansible_collections.imds.azure.plugins.plugin_utils import _one_command
from ansible_collections.imds.azure.plugins.plugin_utils._declined import DeclinedError
from ansible_collections.imds.azure.tests.scenarios.quick_host import INTERPRETER, MODULE_RESULT, QuickHost

# Nothing is sent, since the tag is not Azure's.
OPTIONS = {"endpoint": "http://127.0.0.1:1", "chassis_asset_tag": "none"}
NAME = "imds.azure.azure_imds_facts"


def facts_host(**options: Any) -> QuickHost:
    return QuickHost(azure_imds_facts, NAME, **{**OPTIONS, **options})


def delivery(result: dict[str, Any]) -> str:
    found: str = result["ansible_facts"]["azure_imds"]["meta"]["delivery"]
    return found


@pytest.mark.parametrize("case", ["no pipelining", "sudo", "su", "su, pipelining"])
def test_one_command_is_all(case: str) -> None:
    host = facts_host()
    in_the_command(host, case)
    assert delivery(host.run()) == "one_command"
    assert (len(host.commands), host.modules) == (1, [])
    assert host.said == [f"<web-1> {NAME}: delivery one_command"]
    command, standard_input = host.commands[0]
    assert shlex.split(command)[:3] == [sys.executable, "-BIS", "-c"]
    assert standard_input is None


def in_the_command(host: QuickHost, case: str = "no pipelining") -> None:
    """Have the program sent in the command line."""
    if case == "no pipelining":
        host.connection.has_pipelining = False
    else:
        host.become(case.partition(",")[0])
        host.pipelining = case.endswith("pipelining")


@pytest.mark.parametrize("become", [None, "sudo"])
def test_on_standard_input_the_program_is_no_part_of_the_command(become: str | None) -> None:
    host = facts_host()
    if become:
        host.become(become)
        host.pipelining = True
    host.connection.transport = "some.where.unknown"
    assert delivery(host.run()) == "one_command"
    command, standard_input = host.commands[0]
    assert len(command) < 1000
    assert standard_input is not None
    assert standard_input.startswith(b"import binascii")


# --- declined -------------------------------------------------------------------------------------------------------


def shell(family: str) -> Callable[[QuickHost], None]:
    return lambda host: setattr(host.connection._shell, "SHELL_FAMILY", family)


def interpreter(value: Any) -> Callable[[QuickHost], None]:
    return lambda host: host.task_vars.update(ansible_python_interpreter=value)


def unusual_connection(host: QuickHost) -> None:
    in_the_command(host)
    host.connection.transport = "community.aws.aws_ssm"


def long_environment(host: QuickHost) -> None:
    in_the_command(host)
    host.task.environment = [{"LONG": "x" * 100_000}]


DECLINED: dict[str, tuple[Callable[[QuickHost], None], str]] = {
    "fish": (shell("fish"), "shell of the family fish"),
    "csh": (shell("csh"), "shell of the family csh"),
    "async": (lambda host: setattr(host.task, "async_val", 60), "asynchronous"),
    "interpreter not known": (lambda host: host.task_vars.pop("ansible_python_interpreter"), "not known yet"),
    "auto": (interpreter("auto"), "not known yet"),
    "auto_silent": (interpreter("auto_silent"), "not known yet"),
    "auto_legacy_silent": (interpreter("auto_legacy_silent"), "not known yet"),
    "no interpreter": (interpreter(""), "not known yet"),
    "null": (interpreter(None), "not known yet"),
    "network device": (lambda host: setattr(host.connection, "_remote_is_local", True), "run on the controller"),
    "connection": (unusual_connection, "connection plugin aws_ssm"),
    "become": (lambda host: host.become("community.general.machinectl"), "become method machinectl"),
    "long": (long_environment, "characters"),
}


@pytest.mark.parametrize("case", DECLINED)
def test_these_get_the_ordinary_module_and_nothing_before(case: str) -> None:
    change, reason = DECLINED[case]
    host = facts_host()
    change(host)
    assert host.run() == MODULE_RESULT
    assert (host.commands, len(host.modules)) == ([], 1)
    assert re.fullmatch(rf"<web-1> {NAME}: delivery module, because .*{re.escape(reason)}.*", host.said[0])


def test_remote_files_that_are_to_be_kept_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    host = facts_host()
    assert host.run() == MODULE_RESULT
    assert host.commands == []


def test_a_python_that_was_discovered_is_known() -> None:
    host = facts_host()
    host.task_vars = {"ansible_facts": {"discovered_interpreter_python": sys.executable}}
    assert delivery(host.run()) == "one_command"


def test_a_delegate_has_an_interpreter_of_its_own() -> None:
    host = facts_host()
    host.task.delegate_to = "other"
    host.task_vars = {"ansible_python_interpreter": "/nowhere", "ansible_delegated_vars": {"other": INTERPRETER}}
    assert delivery(host.run()) == "one_command"
    host.task_vars = {**INTERPRETER, "ansible_delegated_vars": {"other": {}}}
    assert host.run() == MODULE_RESULT


@pytest.mark.parametrize("method", ["sudo", "ansible.builtin.su", "community.general.doas"])
def test_become_methods_that_take_the_command(method: str) -> None:
    host = facts_host()
    host.become(method)
    assert delivery(host.run()) == "one_command"


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_an_old_python_gets_the_module_that_explains(version: str) -> None:
    found = [str(path) for path in (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python3")]
    if not found:
        pytest.skip(f"Python {version} is not installed")
    host = facts_host()
    host.task_vars["ansible_python_interpreter"] = found[0]
    assert host.run() == MODULE_RESULT
    assert f"Python {version} is too old" in host.said[0]


@pytest.mark.parametrize("program", ["/nowhere/python3", "/bin/false", "/bin/echo", "python2"])
def test_what_is_no_python_gets_the_module(program: str) -> None:
    host = facts_host()
    host.task_vars["ansible_python_interpreter"] = program
    assert host.run() == MODULE_RESULT
    assert "no usable answer" in host.said[0]


def test_an_unreachable_host_is_unreachable() -> None:
    host = facts_host()

    def lost(*_arguments: Any, **_options: Any) -> Any:
        raise AnsibleConnectionFailure("lost in mid-command")

    host._execute_command = lost  # type: ignore[method-assign]
    with pytest.raises(AnsibleConnectionFailure):
        host.run()
    assert host.modules == []


# --- answers --------------------------------------------------------------------------------------------------------

MARKER = "imds-0123456789abcdef:"
ANSWER = '{"result": {"a": 1}, "warnings": [], "failure": null}'


@pytest.mark.parametrize(
    "output",
    [
        f"{MARKER}{ANSWER}\n",
        f"\r\n{MARKER}{ANSWER}\r\n",
        f"Welcome!\nLast login: today\n\n{MARKER}{ANSWER}\nbye\n",
        f"+ python3 -c import {MARKER} {ANSWER}\n{MARKER}{ANSWER}\n",
        f"{MARKER}half of a line\n{MARKER}{ANSWER}\n",
        f"imds-fedcba9876543210:{ANSWER}\n{MARKER}{ANSWER}\n",
    ],
    ids=["alone", "terminal", "banner", "traced", "twice", "other run"],
)
def test_the_answer_is_found(output: str) -> None:
    assert vars(_one_command.read(output, MARKER)) == {"result": {"a": 1}, "warnings": [], "failure": None}


@pytest.mark.parametrize(
    "output",
    [
        "",
        ANSWER,
        f"x{MARKER}{ANSWER}",
        f"{MARKER}{ANSWER[:-1]}",
        f"{MARKER}[]",
        f"{MARKER}{{}}",
        f"{MARKER}" + "[" * 100_000,
        f'{MARKER}{{"result": [], "warnings": [], "failure": null}}',
        f'{MARKER}{{"result": {{}}, "warnings": "", "failure": null}}',
        f'{MARKER}{{"result": {{}}, "warnings": [], "failure": 1}}',
        f'{MARKER}{{"declined": "Python 3.6 is too old"}}',
    ],
)
def test_an_unusable_answer_is_none(output: str) -> None:
    with pytest.raises(DeclinedError):
        _one_command.read(output, MARKER)


def test_a_host_may_not_set_what_is_ansibles() -> None:
    host = facts_host()
    real = host._execute_command

    def hostile(command: str, in_data: bytes | None = None) -> dict[str, Any]:
        marker = shlex.split(command)[3]
        answer = {"result": {"_ansible_no_log": False, "changed": True, "ok": 1}, "warnings": [1], "failure": None}
        host.output = f"{marker}{json.dumps(answer)}\n"
        return real(command, in_data)

    host._execute_command = hostile  # type: ignore[method-assign]
    result = host.run()
    result.pop("invocation", None)
    assert result == {"changed": False, "ok": 1, "warnings": ["1"]}


# --- what the host is like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "xx_YY.ISO-8859-1", "LC_ALL": "C"},
        {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "PYTHONSTARTUP": "/nowhere", "PYTHONINSPECT": "1"},
        {"PYTHONIOENCODING": "utf-16", "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error"},
        {"ENV": "/nowhere", "IFS": "x"},
    ],
)
@pytest.mark.parametrize("on_standard_input", [False, True])
def test_variables_of_the_host_change_nothing(environment: dict[str, str], on_standard_input: bool) -> None:
    host = facts_host()
    host.connection.has_pipelining = on_standard_input
    host.environment = {"PATH": os.environ["PATH"], **environment}
    assert delivery(host.run()) == "one_command"


@pytest.mark.parametrize("shell_of_host", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("on_standard_input", [False, True])
def test_shells(shell_of_host: str, on_standard_input: bool, tmp_path: Path) -> None:
    program = shutil.which(shell_of_host)
    if program is None:
        pytest.skip(f"{shell_of_host} is not installed")
    (tmp_path / "sh").symlink_to(program)
    host = facts_host()
    host.shell = str(tmp_path / "sh")
    host.connection.has_pipelining = on_standard_input
    assert delivery(host.run()) == "one_command"


def test_a_file_in_the_working_directory_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('found')")
    monkeypatch.chdir(tmp_path)
    assert delivery(facts_host().run()) == "one_command"
    assert [path.name for path in tmp_path.iterdir()] == ["json.py"], "no bytecode either"


def test_the_tasks_environment_arrives(tmp_path: Path) -> None:
    (tmp_path / "our-python").write_text(f'#!/bin/sh\ntest "$SECOND" = "it\'s" || exit 9\nexec {sys.executable} "$@"\n')
    (tmp_path / "our-python").chmod(0o755)
    host = facts_host()
    host.task_vars["ansible_python_interpreter"] = "our-python"
    assert host.run() == MODULE_RESULT
    host.task.environment = [{"PATH": f"{tmp_path}:{os.environ['PATH']}", "SECOND": 1}, None, {"SECOND": "it's"}]
    assert delivery(host.run()) == "one_command"


@pytest.mark.parametrize("words", [f"{sys.executable} -X utf8", f"/usr/bin/env {sys.executable}"])
def test_an_interpreter_may_have_arguments(words: str) -> None:
    host = facts_host()
    host.task_vars["ansible_python_interpreter"] = words
    assert delivery(host.run()) == "one_command"


# --- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inject", [True, False])
def test_the_options_are_those_of_the_module(inject: bool) -> None:
    host = QuickHost(azure_imds_info, "imds.azure.azure_imds_info", **OPTIONS, required="no", timeout="5")
    host.task_vars["ansible_inject_invocation"] = inject
    result = host.run()
    assert not result.get("failed")
    assert ("invocation" in result) == inject
    if inject:
        given = result["invocation"]["module_args"]
        assert (given["required"], given["timeout"], given["path"]) == (False, 5.0, "instance")


def test_nothing_runs_on_the_host_for_options_that_are_wrong() -> None:
    host = facts_host(detect="perhaps")
    result = host.run()
    assert (result["failed"], result["msg"]) == (True, "value of detect must be one of: auto, force, got: perhaps")
    assert (host.commands, host.modules) == ([], [])


def test_a_shell_without_a_short_way_leaves_the_options_to_the_module() -> None:
    host = facts_host(detect="perhaps")
    shell("csh")(host)
    assert host.run() == MODULE_RESULT
