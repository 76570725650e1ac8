# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens and secrets are nowhere but where the user wants them.

One play, by ansible-runner if that is installed, does all that the modules can do and meets all their failures. Then
everything that was written is searched: standard output at -vvvvv, what callbacks got, runner's artifacts, fact cache,
Ansible's own log, syslog, journal, files for asynchronous tasks, and all temporary files, which are kept for this.
A token that a task shows on purpose has to be found, so that a search that sees nothing is noticed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.imds.azure.tests.leaks.play import (
    CORE,
    IDENTITY,
    PARTS,
    PLANTED,
    SECRET,
    VAULT,
    Play,
    set_faults,
)
from ansible_collections.imds.azure.tests.leaks.traces import Traces, variants
from ansible_collections.imds.azure.tests.scenarios.running_emulator import start

HERE = Path(__file__).parent
TREE = Path(__file__).resolve().parents[5]


def command(directory: Path) -> list[str]:
    """ansible-runner where it is installed, else Ansible itself."""
    project, inventory = directory / "project" / "play.yml", directory / "project" / "hosts"
    inventory.write_text("host\n")
    if importlib.util.find_spec("ansible_runner") is None:
        return [sys.executable, "-m", "ansible.cli.playbook", "-vvvvv", "-i", str(inventory), str(project)]
    (directory / "env").mkdir()
    (directory / "env" / "cmdline").write_text("-vvvvv")
    runner = [sys.executable, "-m", "ansible_runner", "run", str(directory)]
    return [*runner, "--playbook", "play.yml", "--inventory", str(inventory)]


def refusal() -> str:
    """Why there can be no host with a syslog of its own here; empty where there can."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "needs Linux with unshare"
    tried = subprocess.run(
        [*namespace(), "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return f"no mount namespace here: {tried.stderr.strip()}" if tried.returncode else ""


def namespace() -> list[str]:
    return ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]


Run = tuple[Traces, Play, "list[str]", Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What the play left, the play, all tokens that were issued, and the directory of it all."""
    reason = refusal()
    if reason:
        pytest.skip(reason)
    from azure_imds_emulator.attestation.authority import pem
    from azure_imds_emulator.tokens.tenant import Issuer

    issued: list[str] = []
    real = Issuer.issue

    def record(*arguments: Any) -> Any:
        token = real(*arguments)
        issued.append(token.text)
        return token

    directory = tmp_path_factory.mktemp("leaks")
    for name, mode in (("secrets", 0o700), ("open", 0o777), ("home", 0o700), ("tmp", 0o700), ("project", 0o700)):
        (directory / name).mkdir()
        (directory / name).chmod(mode)
    with mock.patch.object(Issuer, "issue", record), start(with_vault=True) as imds:
        assert imds.control("PUT", "/vms", [{"name": "web1", "identity": IDENTITY}])[0] == 200
        assert imds.control("PUT", "/vaults", [VAULT])[0] == 200
        set_faults(imds)
        (directory / "root.pem").write_bytes(pem(imds.emulator.authority.root()))
        play = Play(imds, directory)
        for part in PARTS:
            part(play)
        output = perform(directory, play)
    return Traces(directory, output), play, issued, directory


def perform(directory: Path, play: Play) -> str:
    """Standard output and error."""
    plays = [
        {
            "name": "Leave no traces",
            "hosts": "all",
            "gather_facts": True,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "ansible_async_dir": str(directory / "async"),
            },
            "module_defaults": {"ansible.builtin.setup": {"gather_subset": "!all,!min,env"}},
            "tasks": play.tasks,
        }
    ]
    (directory / "project" / "play.yml").write_text(json.dumps(plays))
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
        "LC_ALL": "C.UTF-8",
        "HOME": str(directory / "home"),
        "TMPDIR": str(directory / "tmp"),
        "PYTHONPATH": f"{HERE / 'stand_ins'}:{TREE}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(TREE),
        "ANSIBLE_REMOTE_TMP": str(directory / "tmp"),
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(directory / "facts"),
        "ANSIBLE_LOG_PATH": str(directory / "ansible.log"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "json_results",
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
        "ANSIBLE_NOCOLOR": "1",
        "LEAKS_RESULTS": str(directory / "results.json"),
        "LEAKS_JOURNAL": str(directory / "journal"),
    }
    done = subprocess.run(
        [*namespace(), sys.executable, str(HERE / "host.py"), str(directory), *command(directory)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=directory,
        env=environment,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def results(traces: Traces) -> dict[str, dict[str, Any]]:
    return {line["task"]: line["result"] for line in map(json.loads, traces.texts["results.json"].splitlines())}


def test_every_task_ended_as_it_should(run: Run) -> None:
    traces, play, _issued, directory = run
    found = results(traces)
    for name, expected in play.expected.items():
        result = found[name]
        if expected == "censored":
            assert "censored" in result, (name, result)
        elif expected == "crash":
            assert result["failed"], (name, result)
            assert "RuntimeError" in json.dumps(result), (name, result)
        elif isinstance(expected, bool):
            assert (bool(result.get("failed")), result["changed"]) == (False, expected), (name, result)
        elif expected.startswith("msg: "):
            assert result["msg"].startswith(f"{expected[5:]}: "), (name, result)
        else:
            assert (result["failed"], result.get("reason")) == (True, expected), (name, result)
    files = {path.name for path in (directory / "secrets").iterdir()}
    # The job in the background had all the time of the tasks after it.
    assert files == {"token", "json", "header", "async", "secret"}
    assert (directory / "secrets" / "secret").read_text(encoding="utf-8") == SECRET


def test_every_lookup_ended_as_it_should(run: Run) -> None:
    traces, play, _issued, _directory = run
    found = results(traces)
    for name, expected in play.looked_up.items():
        result = found[name]
        if expected == "censored":
            assert "censored" in result, (name, result)
        elif expected is False:
            assert (bool(result.get("failed")), result["changed"]) == (False, False), (name, result)
        elif expected == "msg":
            assert result["msg"].endswith(" characters"), (name, result)
        else:
            assert f"(reason: {expected})" in result["msg"], (name, result)


def test_no_token_is_anywhere(run: Run) -> None:
    traces, play, issued, _directory = run
    shown = results(traces)["Show a token on request"]["token"]
    assert shown in issued
    assert len(set(issued)) > 3
    for token in {*issued, PLANTED} - {shown}:
        _header, payload, signature = token.split(".")
        for part in (token, payload, signature):
            for variant in variants(part):
                assert traces.holding(variant) == [], (variant[:12], list(play.expected))


def test_nothing_that_begins_like_a_token_is_anywhere(run: Run) -> None:
    """Not even the head of one."""
    traces, _play, _issued, _directory = run
    shown = results(traces)["Show a token on request"]["token"]
    for where, content in traces.texts.items():
        assert re.findall("eyJ.{0,40}", content.replace(shown, "")) == [], where


def test_no_secret_is_anywhere(run: Run) -> None:
    traces, _play, _issued, _directory = run
    for variant in variants(CORE):
        assert traces.holding(variant) == []


def test_the_search_looks_everywhere(run: Run) -> None:
    """What is shown on purpose is found where Ansible shows it, and the other places were written to."""
    traces, play, _issued, _directory = run
    shown = results(traces)["Show a token on request"]["token"]
    found = traces.holding(shown)
    assert {"standard output", "results.json", "ansible.log"} <= set(found)
    for log in ("syslog", "journal"):
        calls = re.findall(r"ansible-\S*azure_imds_\w+:? Invoked with", traces.texts[log])
        assert len(calls) == sum(expected != "censored" for expected in play.expected.values()), log
    if importlib.util.find_spec("ansible_runner") is not None:
        assert any(where.startswith("artifacts/") and where.endswith("/stdout") for where in found)
        assert any("/job_events/" in where for where in found)
    assert [where for where in traces.holding('"reason": "ok"') if where.startswith("async/")]
    assert [where for where in traces.holding('"return_secret": true') if "AnsiballZ_" in where]
    assert any("fact" in where and "ansible_env" in content for where, content in traces.texts.items())


def test_nothing_is_left_beside_the_files(run: Run) -> None:
    _traces, _play, _issued, directory = run
    for folder in ("secrets", "open"):
        assert not [path.name for path in (directory / folder).iterdir() if path.name.startswith(".")]
