# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is one remote command, over a real sshd: users, become methods, shells and login scripts of all kinds.

One play for all: each host of it is another way into the same VM.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import sshd
from .api import Lab
from .errors import RefusedError

PLAYBOOK = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
VM = "vm"
PYTHON = "/usr/bin/python3"  # one that ordinary users can reach
TOPOLOGY: dict[str, Any] = {"vms": [{"name": VM, "sshd": True, "options": {"limiter": False}, "python": PYTHON}]}
PASSWORD, ROOT_PASSWORD = "secret of deploy", "secret of root"

# user -> what is in its .bashrc, which bash reads for commands over SSH too
USERS = {
    "deploy": "",
    "ops": "",
    "terminal": "",
    "alone": "",  # hosts with the same user share a connection
    "noisy": "echo 'Welcome to this host!'; echo 'mind the gap' >&2; printf 'no end of line'",
    "odd": "umask 0777; export LANG=xx_YY.ISO-8859-1 PYTHONPATH=/nowhere PYTHONHOME=/nowhere PYTHONSTARTUP=/nowhere",
}
SUDOERS = """\
deploy ALL=(ALL) ALL
ops,noisy,odd,terminal ALL=(ALL) NOPASSWD: ALL
Defaults:terminal requiretty
"""
# Ends the connection that it runs over, like a cable that is pulled.
DYING = """\
#!/bin/sh
pid=$$
while [ "$(cat /proc/$pid/comm)" != sshd ]; do pid=$(awk '/^PPid/ {print $2}' /proc/$pid/status); done
kill -9 "$pid"
sleep 5
"""
PREPARE = f"""\
set -e
mkdir -p /opt/shells
if command -v busybox; then ln -s "$(command -v busybox)" /opt/shells/ash; fi
for user in {" ".join(USERS)}; do
    useradd --create-home --shell /bin/bash "$user"
    echo "$user:{PASSWORD}" | chpasswd  # without one, the account is locked
done
echo 'root:{ROOT_PASSWORD}' | chpasswd
cat > /opt/dying
chmod 755 /opt/dying
"""

SUDO = {"ansible_become": True, "ansible_become_method": "sudo"}
SU = {"ansible_become": True, "ansible_become_method": "su", "ansible_become_password": ROOT_PASSWORD}
PIPELINING = {"ansible_pipelining": True}
# host -> its variables
WAYS: dict[str, dict[str, Any]] = {
    "plain": {"ansible_user": "ops"},
    "root": {"ansible_user": "root"},
    "sudo": {"ansible_user": "ops", **SUDO},
    "sudo-pipelined": {"ansible_user": "ops", **SUDO, **PIPELINING},
    "sudo-password": {"ansible_user": "deploy", **SUDO, "ansible_become_password": PASSWORD},
    "sudo-password-pipelined": {
        "ansible_user": "deploy",
        **SUDO,
        **PIPELINING,
        "ansible_become_password": PASSWORD,
    },
    "sudo-other-user": {"ansible_user": "ops", **SUDO, "ansible_become_user": "deploy"},
    "su": {"ansible_user": "deploy", **SU},
    "requiretty": {"ansible_user": "terminal", **SUDO},
    "noisy": {"ansible_user": "noisy"},
    "noisy-sudo": {"ansible_user": "noisy", **SUDO},
    "odd": {"ansible_user": "odd"},
    "odd-sudo": {"ansible_user": "odd", **SUDO},
    "busybox": {"ansible_user": "ops", "ansible_shell_executable": "/opt/shells/ash"},
    "bash": {"ansible_user": "ops", "ansible_shell_executable": "/bin/bash"},
}
# Those for which there is no short way, or for which it leads nowhere.
OTHERS: dict[str, dict[str, Any]] = {
    "no-python": {"ansible_user": "ops", "ansible_python_interpreter": "/nowhere/python3"},
    "dying": {"ansible_user": "alone", "ansible_python_interpreter": "/opt/dying"},
}
TASK = {"imds.azure.azure_imds_info": {"path": "instance/compute/name"}}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    for program in ("sudo", "useradd", PYTHON):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"{program} is not installed")
    check = "import sys; sys.exit(sys.version_info < (3, 9))"
    if subprocess.run([PYTHON, "-c", check], timeout=30, check=False).returncode:
        pytest.skip(f"{PYTHON} is older than 3.9")
    reason = sshd.missing()
    if reason:
        pytest.skip(reason)
    try:
        with Lab(TOPOLOGY) as running:
            yield running
    except RefusedError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def results(lab: Lab) -> dict[str, Any]:
    """The results of one task on all hosts."""
    if PLAYBOOK is None:
        pytest.skip("ansible-playbook is not installed")
    lab.run(VM, ["sh", "-c", PREPARE], stdin=DYING, check=True)
    lab.run(VM, ["sh", "-c", "cat > /etc/sudoers.d/users; chmod 440 /etc/sudoers.d/users"], stdin=SUDOERS, check=True)
    for user, script in USERS.items():
        lab.run(VM, ["sh", "-c", f"cat > /home/{user}/.bashrc"], stdin=f"{script}\n", check=True)
    inventory = json.loads(lab.place.inventory.read_text(encoding="utf-8"))
    common = inventory["all"]["children"]["lab"]["hosts"][VM]
    # Each user reads the key that lets it in.
    keys = Path(common["ansible_ssh_private_key_file"]).parent
    lab.run(VM, ["chmod", "go+x", str(keys), *map(str, keys.parents)], check=True)
    ways = {**WAYS, **OTHERS}
    if not shutil.which("busybox"):
        del ways["busybox"]
    hosts = {name: {**common, **variables} for name, variables in ways.items()}
    report, folder = lab.place.path / "report.json", lab.place.path
    found = "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'answer'))) }}"
    write = {"ansible.builtin.copy": {"content": found, "dest": str(report)}, "run_once": True}
    local = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {**TASK, "register": "answer", "ignore_errors": True, "ignore_unreachable": True},
            {**write, "delegate_to": "localhost", "vars": local},
        ],
    }
    (folder / "ways.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "play.json").write_text(json.dumps([play]), encoding="utf-8")
    done = subprocess.run(
        [PLAYBOOK, "-vvv", "-i", str(folder / "ways.json"), str(folder / "play.json")],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(folder), "ANSIBLE_PIPELINING": "false"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    answers: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    answers["output"] = done.stdout
    return answers


@pytest.mark.parametrize("way", WAYS)
def test_one_command_is_enough(results: dict[str, Any], way: str) -> None:
    if way not in results:
        pytest.skip("busybox is not installed")
    answer = results[way]
    assert (answer.get("content"), answer.get("meta")) == (VM, {"delivery": "one_command"}), answer


def test_a_missing_interpreter_is_explained_by_the_ordinary_module(results: dict[str, Any]) -> None:
    assert results["no-python"]["failed"]
    assert "/nowhere/python3" in json.dumps(results["no-python"])


def test_a_connection_that_is_lost_in_mid_command_is_unreachable(results: dict[str, Any]) -> None:
    assert results["dying"]["unreachable"] is True


@pytest.mark.usefixtures("results")
def test_nothing_was_written_on_the_host(lab: Lab) -> None:
    found = lab.run(VM, ["find", "/home", "/opt", "/var/tmp", "-newer", "/opt/dying", "-type", "f"], check=True).stdout
    assert {Path(path).name for path in found.split()} == {".bashrc"}
    # The ordinary module that was to explain a missing interpreter makes its directory.
    assert lab.run(VM, ["sh", "-c", "echo /home/*/.ansible"]).stdout == "/home/ops/.ansible\n"


def test_no_password_is_told(results: dict[str, Any]) -> None:
    assert PASSWORD not in results["output"]
    assert ROOT_PASSWORD not in results["output"]
