# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process 1 of the lab, and how the command line starts it.

    lab up ---fork---> opener ---fork---> process 1 of the lab, in the fabric
                                          process 1 ---fork, fork---> process 1 of each VM

Everything ends with process 1 of the lab: its children's namespaces, links and mounts hang on it alone. It tells
`lab up` what happened through one socket, and ends by itself when `lab up` is gone before it has written the lab down.
Until then it also holds the lock, so that no lab is started or ended while remains of a killed `lab up` exist.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import time
import traceback
from pathlib import Path
from typing import Callable, NoReturn, TypeVar

from . import fabric, namespaces, root, vm
from .errors import LabError, RefusedError, SpecError
from .spec import FABRIC, Topology, Vm
from .state import Place

_SECONDS = 60.0
# Where the lab's side keeps what it inherits; everything else is closed.
_CHANNEL, _LOCK, _LAST_FILE = 100, 101, 4096
_ALL_USERS = ["0", "0", "4294967295"]
_Result = TypeVar("_Result")

# What may be told from process to process; the first that fits.
ERRORS: dict[str, type[LabError]] = {kind.__name__: kind for kind in (RefusedError, SpecError, LabError)}


# --- the side of `lab up` ---------------------------------------------------------------------------------------------


def start(topology: Topology, place: Place, lock: int) -> None:
    """Start a lab; returns when all of it is up and written down.

    :raises LabError: if it could not be built, and nothing of it is left running
    """
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with there:
            opener = namespaces.fork(_Holder(topology, place, there, lock).open)
            os.waitpid(opener, 0)
        try:
            pids = _listen(here)
        except LabError as error:
            log = place.log.read_text(encoding="utf-8", errors="replace").strip()
            raise type(error)(f"{error}; see {place.log}" if log else str(error)) from None
        for name, pid in pids.items():
            place.remember(name, pid)
        here.send(b"keep")


def _listen(here: socket.socket) -> dict[str, int]:
    """Wait for the last word. Returns the pid of each member as this process sees it; the kernel translates."""
    pids: dict[str, int] = {}
    deadline = time.monotonic() + _SECONDS
    while select.select([here], [], [], max(0.0, deadline - time.monotonic()))[0]:
        data, ancillary, _ignored, _ignored = here.recvmsg(65536, socket.CMSG_SPACE(struct.calcsize("3i")))
        if not data:
            raise LabError("the lab ended while it was built")
        word: dict[str, str] = json.loads(data)
        if "born" in word:
            pids[word["born"]] = struct.unpack("3i", ancillary[0][2])[0]
        elif "up" in word:
            return pids
        _raise(word)
    raise LabError(f"the lab was not up after {_SECONDS:g} s")


# --- the lab's side ---------------------------------------------------------------------------------------------------


def _say(channel: socket.socket, **word: str) -> None:
    channel.send(json.dumps(word).encode())


def _word(error: Exception) -> dict[str, str]:
    """An error as `_raise` understands it; surprises go to the log in full."""
    for kind, known in ERRORS.items():
        if isinstance(error, known):
            return {"error": str(error), "kind": kind}
    traceback.print_exc()
    return {"error": str(error)}


def _raise(word: dict[str, str]) -> None:
    if "error" in word:
        raise ERRORS[word.get("kind", "LabError")](word["error"])


def _report(channel: socket.socket, work: Callable[[], _Result]) -> _Result:
    """Do the work; if it fails, say so and end this process, and with it all that it holds."""
    try:
        return work()
    except Exception as error:
        _say(channel, **_word(error))
        os._exit(1)


class _Holder:
    """Process 1 of the lab, and the opener before it."""

    def __init__(self, topology: Topology, place: Place, channel: socket.socket, lock: int) -> None:
        self._topology = topology
        self._place = place
        self._channel = channel
        self._lock = lock

    def open(self) -> NoReturn:
        """The opener: leaves the caller's terminal, files and directory, makes namespaces, then process 1 in them."""
        os.setsid()
        os.chdir("/")
        os.umask(0o022)
        _redirect(self._place.log)
        os.dup2(self._channel.fileno(), _CHANNEL)
        os.dup2(self._lock, _LOCK)
        os.closerange(3, _CHANNEL)
        os.closerange(_LOCK + 1, _LAST_FILE)
        self._channel, self._lock = socket.socket(fileno=_CHANNEL), _LOCK
        _report(self._channel, _unshare)
        namespaces.fork(self._process_1)
        os._exit(0)

    def _process_1(self) -> NoReturn:
        _say(self._channel, born=FABRIC)
        _report(self._channel, self._build)
        _say(self._channel, up=self._place.name)
        if self._channel.recv(16) != b"keep":
            os._exit(1)
        self._let_go()
        namespaces.rest()

    def _let_go(self) -> None:
        self._channel.close()
        os.close(self._lock)

    def _build(self) -> None:
        skeleton = _prepare(self._place)
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        results = [self._start_vm(member, here, skeleton) for member in self._topology.vms]
        for result in results:
            _await_vm(result)
        os.close(here)
        namespaces.ip(fabric.configuration(self._topology))
        namespaces.sysctl(fabric.settings(self._topology))
        if self._topology.emulator:
            fabric.start_emulator(self._topology, self._place)

    def _start_vm(self, member: Vm, fabric_net: int, skeleton: Path | None) -> int:
        """Start process 1 of a VM. Returns a descriptor from which `_await_vm` reads the result."""
        result, out = os.pipe()

        def process_1() -> NoReturn:
            os.close(result)
            _say(self._channel, born=member.name)
            self._let_go()
            with os.fdopen(out, "w") as output:
                try:
                    vm.build(member, self._place, fabric_net, skeleton)
                    word = {}
                except Exception as error:
                    word = _word(error)
                json.dump(word, output)
            os.close(fabric_net)
            namespaces.rest()

        def opener() -> NoReturn:
            namespaces.unshare(namespaces.NEW_GUEST)
            namespaces.fork(process_1)
            os._exit(0)

        os.waitpid(namespaces.fork(opener), 0)
        os.close(out)
        return result


def _await_vm(result: int) -> None:
    with os.fdopen(result) as stream:
        text = stream.read()
    _raise(json.loads(text) if text else {"error": "a VM ended while it was built"})


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _unshare() -> None:
    """New namespaces; with a new user namespace where that is the only way."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        # Root of a container, perhaps, may have no namespaces but a user namespace.
        with contextlib.suppress(PermissionError):
            namespaces.unshare(namespaces.NEW_GUEST)
            return
    try:
        namespaces.unshare(namespaces.NEW_USER | namespaces.NEW_GUEST)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    except OSError as error:
        raise RefusedError(f"this machine refuses user namespaces: {error.strerror}") from None


def _prepare(place: Place) -> Path | None:
    """The fabric's own mounts. Returns the VMs' skeleton where they need one."""
    try:
        socket.sethostname(FABRIC)
        namespaces.mount("none", "/", flags=namespaces.PRIVATE | namespaces.RECURSIVE)
        namespaces.mount("proc", "/proc", "proc", flags=namespaces.HARMLESS)
        namespaces.mount("sysfs", "/sys", "sysfs", flags=namespaces.READ_ONLY | namespaces.HARMLESS)
        namespaces.mount("tmpfs", place.member(FABRIC).parent, "tmpfs", options="mode=755")
        place.member(FABRIC).write_text("here\n", encoding="ascii")
    except PermissionError as error:
        # A security module took the new namespace's rights away, or a container hides parts of /proc or /sys.
        raise RefusedError(f"this machine lets a user namespace do too little: {error}") from None
    if Path("/proc/self/uid_map").read_text(encoding="ascii").split() == _ALL_USERS:
        return None
    namespaces.mount("tmpfs", place.skeleton, "tmpfs", options="mode=755")
    root.skeleton(place.skeleton)
    return place.skeleton
