# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenSSH server inside a VM, with keys and configuration of its own, for the real transport."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import LabError, RefusedError
from .spec import Vm
from .state import HERE, Place

SERVER = Path("/usr/sbin/sshd")
_SECONDS = 10.0
_CONFIGURATION = """\
ListenAddress 127.0.0.1
HostKey {keys}/host
AuthorizedKeysFile {keys}/client.pub
PidFile {keys}/pid
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""


def missing() -> str:
    """Why there can be no server on this machine; empty if there can."""
    if not SERVER.exists():
        return f"{SERVER} is missing (Debian's package openssh-server)"
    if os.geteuid() != 0:
        return "sshd needs several users, and an ordinary user's namespace has one; start the lab as root"
    return ""


def make_keys(vm: Vm, place: Place) -> None:
    """Make host and client keys in the directory that the controller and the VM share.

    :raises RefusedError: if no server can run here
    :raises LabError: if ssh-keygen failed
    """
    reason = missing()
    if reason:
        raise RefusedError(f"vms[{vm.index}].sshd: {reason}")
    keys = _keys(vm, place)
    keys.mkdir(mode=0o700)
    for key in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", vm.name, "-f", str(keys / key)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if done.returncode != 0:
            raise LabError(f"ssh-keygen: {done.stderr.strip()}")
    (keys / "known_hosts").write_text(f"{vm.name} {(keys / 'host.pub').read_text(encoding='ascii')}", encoding="ascii")
    (keys / "sshd_config").write_text(_CONFIGURATION.format(keys=keys), encoding="ascii")


def start(vm: Vm, place: Place) -> None:
    """Start the server; runs inside the VM. It listens when this returns.

    :raises LabError: if it fails
    """
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    command = [str(SERVER), "-f", str(_keys(vm, place) / "sshd_config"), "-E", str(_keys(vm, place) / "log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode != 0:
        raise LabError(f"sshd: {done.stderr.strip()}")


def host_vars(vm: Vm, place: Place) -> dict[str, Any]:
    """How Ansible's ssh connection reaches the VM. Pure."""
    return {
        "ansible_connection": "ssh",
        "ansible_host": vm.name,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(_keys(vm, place) / "client"),
        "ansible_ssh_common_args": shlex.join(_options(vm, place)),
    }


def command(vm: Vm, place: Place) -> list[str]:
    """An ssh command line into the VM, to which the remote command is added. Pure."""
    return ["ssh", "-i", str(_keys(vm, place) / "client"), *_options(vm, place), f"root@{vm.name}"]


def _options(vm: Vm, place: Place) -> list[str]:
    # The relay runs inside the VM, so routes that a test breaks never cut the connection.
    relay = f"exec {sys.executable} -S -E {HERE / 'relay.py'} 127.0.0.1 22"
    options = {
        "ProxyCommand": f"{place.shell(vm.name)} -c {shlex.quote(relay)}",
        "UserKnownHostsFile": str(_keys(vm, place) / "known_hosts"),
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "10",
    }
    return ["-F", "/dev/null", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def _keys(vm: Vm, place: Place) -> Path:
    return place.shared(vm.name) / "ssh"
