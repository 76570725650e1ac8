# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent like Azure's guest proxy agent (Metadata Security Protocol), inside a VM of the lab.

It listens on 127.0.0.1:3080. An eBPF program leads every connection that the VM's processes make to IMDS there; the
agent's own goes to IMDS, because it stands outside the VM's control group. It passes requests on, or refuses them
without a word, as the real one does.

``python3 -m lab.guest_agent [STATUS]``, inside a VM only: start it in the background; with STATUS, such as 403, it
refuses everything. ``python3 -m lab.guest_agent --stop``: remove the control group, and the
redirect with it.
"""

from __future__ import annotations

import contextlib
import http
import os
import socket
import sys
import threading
from pathlib import Path

from . import redirect
from .api import Lab
from .errors import RefusedError
from .spec import DEFAULT_PYTHON
from .state import HERE

IMDS = ("169.254.169.254", 80)
LISTEN = ("127.0.0.1", 3080)
# Inside the VM. The first file holds the control group's path; the second one its entrance, for `enter`.
_FOLDER = Path("/run/lab")
_GROUP = _FOLDER / "group"
_ENTRANCE = _FOLDER / "entrance"
_PASSED_ON = b"x-ms-azure-host-authorization: Azure-HMAC-SHA256 lab\r\n"
_SECONDS = 2.0
_CHUNK = 65536


# --- outside ----------------------------------------------------------------------------------------------------------


def start(lab: Lab, vm: str, refuse: int = 0) -> None:
    """Put an agent into a VM. What enters the VM from now on is redirected to it.

    :param refuse: the HTTP status with which it refuses every request; 0: it passes them on
    :raises RefusedError: if this machine allows no such redirect
    """
    _run(lab, vm, *([str(refuse)] if refuse else []))


def stop(lab: Lab, vm: str) -> None:
    """End the redirect, and remove what a lab that ends would leave behind."""
    lab.run(vm, ["rm", str(_ENTRANCE)], check=True)  # so that nothing that stops it is in the group itself
    _run(lab, vm, "--stop")


def _run(lab: Lab, vm: str, *arguments: str) -> None:
    command = [DEFAULT_PYTHON, "-m", "lab.guest_agent", *arguments]
    done = lab.run(vm, command, environment={"PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"})
    if done.returncode == RefusedError.exit_code:
        raise RefusedError(done.stderr.strip())
    done.check_returncode()


# --- inside -----------------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> None:
    """
    :raises RefusedError: if this machine allows no such redirect
    """
    if arguments == ["--stop"]:
        redirect.remove(Path(_GROUP.read_text(encoding="ascii")))
        return
    refuse = int(arguments[0]) if arguments else 0
    network = os.stat("/proc/self/ns/net").st_ino
    group = redirect.Group(_FOLDER / "cgroup", f"imds-lab-{network}")
    listener = socket.create_server(LISTEN)
    link = redirect.redirect(group.path, IMDS, LISTEN)
    _GROUP.write_text(str(group.path), encoding="ascii")
    _ENTRANCE.write_text(f"{group.entrance}\n", encoding="ascii")
    if os.fork():
        return
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.set_inheritable(link, False)  # the redirect ends with this process
    while True:
        connection, _peer = listener.accept()
        threading.Thread(target=_serve, args=(connection, refuse), daemon=True).start()


def _serve(connection: socket.socket, refuse: int) -> None:
    connection.settimeout(_SECONDS)
    with connection, contextlib.suppress(OSError):
        request = _head(connection)
        connection.sendall(_wordless(refuse) if refuse else _passed_on(request))


def _head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(_CHUNK)):
        data += more
    return data


def _passed_on(request: bytes) -> bytes:
    """What IMDS answers, with the agent's mark; its own wordless error where IMDS is not reached."""
    line, _end, headers = request.partition(b"\r\n")
    try:
        with socket.create_connection(IMDS, timeout=_SECONDS) as imds:
            imds.sendall(line + b"\r\nConnection: close\r\n" + headers)
            answer = b"".join(iter(lambda: imds.recv(_CHUNK), b""))
    except OSError:
        return _wordless(http.HTTPStatus.BAD_GATEWAY)
    status, _end, rest = answer.partition(b"\r\n")
    return status + b"\r\n" + _PASSED_ON + rest


def _wordless(status: int) -> bytes:
    phrase = http.HTTPStatus(status).phrase
    return f"HTTP/1.1 {status:d} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RefusedError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
