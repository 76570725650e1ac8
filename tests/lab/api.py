# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab in Python: up, down, run, and the emulator's control endpoint.

with Lab({"vms": [{"name": "vm1"}]}) as lab:
    lab.run("vm1", ["ip", "route"]).stdout
    lab.emulator.faults({"path": "/metadata/instance", "status": 429, "count": 2})
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from . import fabric, holder, spec, sshd
from .errors import LabError, RefusedError, SpecError
from .inventory import inventory
from .spec import FABRIC, Topology
from .state import HERE, Place

_UP_SECONDS = 90.0
_RUN_SECONDS = 30.0
_numbers = itertools.count(1)
_PROGRAMS = {"ip": "iproute2 (iproute on Fedora and RHEL)", "nsenter": "util-linux"}


def up(document: Mapping[str, Any], name: str) -> Place:
    """Start a lab. Call it from a program of one thread only, as ``lab up`` is; elsewhere use `Lab`.

    :raises SpecError: if a field is wrong, or ``name`` is not a valid name
    :raises RefusedError: if this machine lacks a program or allows no namespaces
    :raises LabError: if it is already up, or can't be built; nothing is left running
    """
    topology = spec.parse(document)
    place = Place.named(name)
    _check_machine(topology)
    with place.locked() as lock:
        if place.alive():
            raise LabError(f"--name: lab {name} is already up; end it first (lab down {name}) or choose another name")
        place.create([FABRIC, *(vm.name for vm in topology.vms)])
        place.spec.write_text(json.dumps(document, indent=1), encoding="utf-8")
        place.inventory.write_text(json.dumps(inventory(topology, place), indent=1), encoding="utf-8")
        if topology.vaults:
            place.vaults.write_text(json.dumps(topology.vaults), encoding="utf-8")
        place.vms.write_text(json.dumps([fabric.emulated(vm) for vm in topology.vms if vm.imds]), encoding="utf-8")
        try:
            for vm in topology.vms:
                if vm.sshd:
                    sshd.make_keys(vm, place)
            holder.start(topology, place, lock)
        except (RefusedError, SpecError):
            place.clear()  # Anything else leaves its log behind.
            raise
    return place


def _check_machine(topology: Topology) -> None:
    """Look for what a lab needs on this machine.

    :raises RefusedError: if something is missing that every lab needs
    :raises SpecError: if the interpreter of a VM is missing
    """
    if not sys.platform.startswith("linux"):
        raise RefusedError("the lab is made of Linux namespaces; run it on Linux")
    for program, package in _PROGRAMS.items():
        if not shutil.which(program):
            raise RefusedError(f"the program {program} is missing; install the package {package}")
    for vm in topology.vms:
        if not os.access(vm.python, os.X_OK):
            raise SpecError(
                f"vms[{vm.index}].python: {vm.python} is not a program on this machine; name the Python interpreter "
                f"that Ansible is to use in the VM, such as {sys.executable}"
            )


def down(name: str) -> bool:
    """End a lab and remove its directory. Returns whether it was up.

    :raises LabError: if it does not end, or its directory can't be removed
    """
    place = Place.named(name)
    if not place.path.parent.is_dir():
        return False
    with place.locked():
        was_up = place.end()
        place.clear()
    return was_up


def topology(place: Place) -> Topology:
    """The topology of a lab that is up.

    :raises LabError: if it is not
    """
    check_up(place)
    return spec.parse(json.loads(place.spec.read_text(encoding="utf-8")))


def check_up(place: Place) -> None:
    """Insist on a lab that is up.

    :raises LabError: if it is not
    """
    if not place.alive():
        raise LabError(f"lab {place.name} is not up; start it with lab up, or see with lab status what is")


def argv(place: Place, member: str, command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` inside a member. Exit code: the command's, or 125 if it is gone."""
    return [str(place.shell(member)), "-c", 'exec "$@"', "sh", *command]


def run(place: Place, member: str, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command inside a member. See `Lab.run`."""
    return _bounded(argv(place, member, command), **options)


def _bounded(
    command: Sequence[str],
    check: bool = False,
    timeout: float = _RUN_SECONDS,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """`subprocess.run` with text, whose timeout ends the whole process group, inside the namespaces too."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    done = subprocess.CompletedProcess(list(command), process.returncode, stdout, stderr)
    if check:
        done.check_returncode()
    return done


class Emulator:
    """The emulator's control endpoint, through the fabric. Every method raises LabError where it refuses."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def faults(self, *faults: Mapping[str, Any]) -> Any:
        """Script faults, such as ``{"path": "/metadata/instance", "status": 429}``; without any: what is waiting."""
        return self._call("POST", "/faults", list(faults)) if faults else self._call("GET", "/faults")

    def clear_faults(self) -> Any:
        """Forget all faults."""
        return self._call("DELETE", "/faults")

    def requests(self) -> list[dict[str, Any]]:
        """The request log: one object per request, oldest first."""
        result: list[dict[str, Any]] = self._call("GET", "/requests")
        return result

    def clear_requests(self) -> Any:
        """Forget the log."""
        return self._call("DELETE", "/requests")

    def vms(self, vms: Sequence[Mapping[str, Any]] | None = None) -> Any:
        """The emulator's VM list; with ``vms``: replace it."""
        return self._call("GET", "/vms") if vms is None else self._call("PUT", "/vms", list(vms))

    def plan(self, *events: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Plan scheduled events, such as ``{"scenario": "spot", "vm": "vm1"}``; what was planned."""
        result: list[dict[str, Any]] = self._call("POST", "/events", list(events))
        return result

    def change(self, event_id: str, **changes: Any) -> Any:
        """Postpone an event (``notice=600``), or change what it is."""
        return self._call("PATCH", f"/events/{event_id}", changes)

    def cancel(self, event_id: str) -> Any:
        """Take an event away."""
        return self._call("DELETE", f"/events/{event_id}")

    def advance(self, seconds: float) -> Any:
        """Move the clock of the events on."""
        return self._call("POST", "/clock", {"advance": seconds})

    def _call(self, method: str, path: str, body: object = None) -> Any:
        content = "" if body is None else json.dumps(body)
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", content]
        address, port = fabric.CONTROL
        relay = [sys.executable, "-S", "-E", str(HERE / "relay.py"), address, str(port)]
        done = run(self._place, FABRIC, relay, stdin="\r\n".join(lines))
        head, _ignored, answer = done.stdout.partition("\n\n")  # text mode made the line ends plain
        status = head.split(" ")[1:2]
        if status != ["200"]:
            raise LabError(f"emulator: {method} {path}: {answer or done.stderr.strip() or 'no answer'}")
        return json.loads(answer)


class Lab:
    """A lab for the length of a ``with`` block. It is started by a process of its own, so any program may use it."""

    def __init__(self, document: Mapping[str, Any], name: str = "") -> None:
        self._document = document
        self.place = Place.named(name or f"py-{os.getpid()}-{next(_numbers)}")
        self.emulator = Emulator(self.place)

    def __enter__(self) -> Lab:
        self._lab("up", "-", "--name", self.place.name, stdin=json.dumps(self._document))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        down(self.place.name)

    def run(self, member: str, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command inside a VM, or in ``fabric``.

        :param check: raise CalledProcessError for an exit code other than 0
        :param timeout: seconds, 30 by default; then everything it started in its process group is ended and
            TimeoutExpired raised
        :param stdin: its standard input, empty by default
        :param environment: added to the environment
        """
        return run(self.place, member, command, **options)

    def _lab(self, *arguments: str, stdin: str) -> None:
        done = _bounded([sys.executable, str(HERE / "start.py"), *arguments], timeout=_UP_SECONDS, stdin=stdin)
        if done.returncode != 0:
            kind = next((kind for kind in holder.ERRORS.values() if kind.exit_code == done.returncode), LabError)
            raise kind(done.stderr.strip().removeprefix("lab: "))
