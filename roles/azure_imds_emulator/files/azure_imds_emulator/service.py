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
from typing import Any, Callable

from . import __version__, whole_files
from .checks import InvalidInputError, load_json
from .control import Control
from .emulator import Emulator
from .limiter import Limiter
from .server import Server

Endpoint = tuple[str, int]
ENDING = (signal.SIGTERM, signal.SIGINT)
WELL_KNOWN: Endpoint = ("169.254.169.254", 80)


class StartError(RuntimeError):
    """The emulator cannot start; the message is one line for the user."""


def endpoint(text: str) -> Endpoint:
    """``ADDRESS:PORT`` or ``[ADDRESS]:PORT``. Raises argparse.ArgumentTypeError."""
    host, _ignored, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        if port.isascii() and port.isdigit() and int(port) <= 65535:
            return str(address), int(port)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT with an IP address")


def whole(low: int, high: int) -> Callable[[str], int]:
    """A type of argparse's for whole numbers from ``low`` to ``high``."""

    def to_number(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")

    return to_number


def spelled(where: Endpoint) -> str:
    """The inverse of `endpoint`."""
    return f"[{where[0]}]:{where[1]}" if ":" in where[0] else f"{where[0]}:{where[1]}"


def is_local(address: str) -> bool:
    """Whether the address belongs to this network namespace. Asks the routing table; sends nothing.

    Linux takes a local destination as its own source address; connecting a UDP socket only does the lookup. A bind
    alone would not do: `ip_nonlocal_bind` lets it succeed for any address.
    """
    parsed = ipaddress.ip_address(address)
    if parsed.is_unspecified or parsed.is_loopback:
        return True
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return False
        return bool(ipaddress.ip_address(probe.getsockname()[0]) == parsed)


def listen(where: Endpoint, service: Any, build: int, make: Callable[[Endpoint, Any, int], Server] = Server) -> Server:
    """A listening server.

    :raises StartError: if the address is not ours or already taken
    """
    if not is_local(where[0]):
        raise StartError(
            f"{spelled(where)}: no interface of this host has this address; where nothing else answers there, "
            f"add it first: ip address add {where[0]} dev lo"
        )
    try:
        return make(where, service, build)
    except OSError as error:
        taken = "something already listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise StartError(f"{spelled(where)}: {taken}") from error


def run(options: argparse.Namespace, announce: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; announce the ready line, a JSON object with the real ports.

    :raises StartError: if it cannot start
    """
    # Blocked in all threads and waited for in this one: the kernel may hand a signal to any thread that takes it, and
    # a handler would then not run before this thread wakes up by itself.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        vms = load_json(str(options.vms), options.vms.read_bytes()) if options.vms else None
        limiter = None if options.no_limiter else Limiter()
        vaults = load_json(str(options.vaults), options.vaults.read_bytes()) if options.vaults else None
        emulator = Emulator(
            vms,
            limiter,
            options.retry_after,
            ca_directory=options.ca_directory,
            vaults=vaults,
            arc_tokens=options.arc_tokens,
        )
        if options.ca_directory:
            emulator.authority.prepare()
    except OSError as error:
        raise StartError(f"{error.filename}: {error.strerror}") from error
    except InvalidInputError as error:
        raise StartError(str(error)) from error
    with ExitStack() as stack:
        servers = [
            stack.enter_context(listen(where, emulator, options.server_build))
            for where in options.listen or [WELL_KNOWN]
        ]
        control = stack.enter_context(
            listen(options.control, Control(emulator, options.control_host), options.server_build)
        )
        vault_servers = _key_vaults(stack, emulator, options)
        stack.callback(emulator.arc_keys.clear)
        arc_servers = [
            stack.enter_context(listen(where, emulator.arc_agent, options.server_build)) for where in options.arc_listen
        ]
        for server in (*servers, *vault_servers, *arc_servers, control):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
            stack.callback(server.shutdown)
        line = _ready_line(servers, vault_servers, arc_servers, control)
        if options.ready_file:
            whole_files.write(options.ready_file, f"{line}\n".encode(), 0o644)
            stack.callback(options.ready_file.unlink)
        announce(line)
        signal.sigwait(ENDING)
    return 0


def _key_vaults(stack: ExitStack, emulator: Emulator, options: argparse.Namespace) -> list[Server]:
    """The servers of the key vaults. TLS is loaded, and the CA made, only where there are any."""
    if not options.vault_listen:
        return []
    from . import tls

    secured = tls.context(emulator.authority, [address for address, _port in options.vault_listen])

    def make(address: Endpoint, service: Any, build: int) -> Server:
        return tls.TlsServer(address, service, secured, build)

    build = options.server_build
    return [stack.enter_context(listen(where, emulator.key_vault, build, make)) for where in options.vault_listen]


def _ready_line(servers: list[Server], vaults: list[Server], arc: list[Server], control: Server) -> str:
    return json.dumps(
        {
            "listen": [spelled(server.address) for server in servers],
            "vault_listen": [spelled(server.address) for server in vaults],
            "arc_listen": [spelled(server.address) for server in arc],
            "control": spelled(control.address),
            "pid": os.getpid(),
            "version": __version__,
        }
    )
