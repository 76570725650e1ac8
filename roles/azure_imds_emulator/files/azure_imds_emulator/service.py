# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the sockets, says when they are ready, ends cleanly."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import json
import os
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import __version__
from .control import Control
from .emulator import Emulator
from .limiter import Limiter
from .server import Server

Endpoint = tuple[str, int]
WELL_KNOWN: Endpoint = ("169.254.169.254", 80)


class StartError(RuntimeError):
    """The emulator cannot start; the message is one line for the user."""


def endpoint(text: str) -> Endpoint:
    """``ADDRESS:PORT`` or ``[ADDRESS]:PORT``. Raises argparse.ArgumentTypeError."""
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        if port.isascii() and port.isdigit() and int(port) <= 65535:
            return str(address), int(port)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT with an IP address")


def spelled(where: Endpoint) -> str:
    """The inverse of `endpoint`."""
    return f"[{where[0]}]:{where[1]}" if ":" in where[0] else f"{where[0]}:{where[1]}"


def is_local(address: str) -> bool:
    """Whether the address belongs to this network namespace. Asks the routing table; sends nothing.

    Linux takes a local destination as its own source address; connecting a UDP socket only does the lookup. A bind
    alone would not do: `ip_nonlocal_bind` lets it succeed for any address.
    """
    if ipaddress.ip_address(address).is_unspecified:
        return True
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return False
        return bool(ipaddress.ip_address(probe.getsockname()[0]) == ipaddress.ip_address(address))


def listen(where: Endpoint, service: Any, build: int) -> Server:
    """A listening server. Raises StartError where the address is not ours or already taken."""
    if not is_local(where[0]):
        raise StartError(
            f"{spelled(where)}: no interface of this host has this address; "
            "add it first, on a host where nothing else answers there: ip address add ADDRESS/32 dev lo"
        )
    try:
        return Server(where, service, build)
    except OSError as error:
        taken = "something already listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise StartError(f"{spelled(where)}: {taken}") from error


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Raises StartError."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        vms = json.loads(Path(options.vms).read_text(encoding="utf-8")) if options.vms else None
        emulator = Emulator(vms, None if options.no_limiter else Limiter(), options.retry_after)
    except (OSError, ValueError) as error:
        raise StartError(f"{options.vms}: {error}") from error
    with ExitStack() as stack:
        servers = [
            stack.enter_context(listen(where, emulator, options.server_build))
            for where in options.listen or [WELL_KNOWN]
        ]
        control = stack.enter_context(listen(options.control, Control(emulator), options.server_build))
        for server in (*servers, control):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
            stack.callback(server.shutdown)
        _announce(servers, control, options.ready_file, stack)
        stop.wait()
    return 0


def _announce(servers: list[Server], control: Server, ready_file: str, stack: ExitStack) -> None:
    """Print the ready line: where it listens, as JSON."""
    line = json.dumps(
        {
            "listen": [spelled(server.address) for server in servers],
            "control": spelled(control.address),
            "pid": os.getpid(),
            "version": __version__,
        }
    )
    print(line, flush=True)
    if ready_file:
        path = Path(ready_file)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(line + "\n", encoding="utf-8")
        partial.replace(path)
        stack.callback(lambda: path.unlink() if path.exists() else None)
