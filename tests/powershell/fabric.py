# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network namespace whose kernel takes the way to 169.254.169.254 that the test says, and an IMDS at its end.

So the route fix asks the real address, over a real connection whose local address is the one that Windows would have
chosen, and nothing leaves the namespace. Run as a program, in a namespace of its own:
fabric.py DIRECTORY. Each line of the input is a JSON object, a Way; each is answered by a line once it is in force.
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

IMDS = "169.254.169.254"
# Where the route fix keeps its journal on this platform, which nobody but root may write.
JOURNALS = "/usr/share"

# Longer than any probe of the tests.
SILENCE = 20.0


class Way(NamedTuple):
    """How a request goes. ``source``: the address that the system chooses; "" without a route. ``lost``: it leaves
    through an interface that IMDS is not behind. ``primary``: the only address that IMDS answers, with ``status`` and
    ``body``; status 0 is silence.
    """

    source: str
    lost: bool
    primary: str
    status: int
    body: Any


def unusable() -> str | None:
    """Why there can be no such namespace here, or None."""
    absent = [name for name in ("ip", "nsenter", "unshare") if not shutil.which(name)]
    if absent:
        return f"{' and '.join(absent)} not found: no network namespace"
    done = subprocess.run([*_unshare(), "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else "this user can't make a network namespace"


def _unshare() -> list[str]:
    user = ["--user", "--map-root-user"] if os.geteuid() else []
    return ["unshare", *user, "--net", "--mount", "--propagation", "private"]


class Fabric:
    """The namespace, from outside. ``journal``: the directory of the route fix's journal in it."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        self._process = process
        self.journal = directory / "imds.azure"

    @property
    def enter(self) -> tuple[str, ...]:
        """The command that runs another one in it."""
        user = ("--user", "--preserve-credentials") if os.geteuid() else ()
        return ("nsenter", "--target", str(self._process.pid), *user, "--net", "--mount")

    def take(self, way: Way) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(way._asdict()) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def fabric(directory: Path) -> Iterator[Fabric]:
    """A namespace, as long as the context lasts."""
    (directory / "imds.azure").mkdir()
    command = [*_unshare(), sys.executable, __file__, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield Fabric(process, directory)
        finally:
            process.kill()


# --- inside ---------------------------------------------------------------------------------------------------------


class _Imds(http.server.BaseHTTPRequestHandler):
    way: Way

    def do_GET(self) -> None:
        if self.client_address[0] != self.way.primary or not self.way.status:
            time.sleep(SILENCE)
            return
        body = json.dumps(self.way.body).encode()
        self.send_response(self.way.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Nobody reads it."""


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)


def _inside(directory: str) -> None:
    # A directory of the test's own as the journal's, under a file system that shows nothing else.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", JOURNALS], check=True)
    os.mkdir(f"{JOURNALS}/imds.azure")
    subprocess.run(["mount", "--bind", f"{directory}/imds.azure", f"{JOURNALS}/imds.azure"], check=True)
    _ip("link", "set", "lo", "up")
    # Its other end drops all that it gets, as nothing has that hardware address.
    _ip("link", "add", "elsewhere", "type", "veth", "peer", "name", "nowhere")
    for end in ("elsewhere", "nowhere"):
        _ip("link", "set", end, "up")
    _ip("neighbour", "add", IMDS, "lladdr", "02:00:00:00:00:01", "dev", "elsewhere", "nud", "permanent")
    _ip("address", "add", f"{IMDS}/32", "dev", "lo")
    server = http.server.ThreadingHTTPServer((IMDS, 80), _Imds)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        _take(Way(**json.loads(line)))
        print("done", flush=True)


def _take(way: Way) -> None:
    _Imds.way = way
    for address in {way.source, way.primary} - {""}:
        _ip("address", "add", f"{address}/32", "dev", "elsewhere", check=False)
    _ip("route", "delete", "local", IMDS, "table", "local", check=False)
    _ip("route", "flush", IMDS, check=False)
    if not way.source:
        _ip("route", "add", "unreachable", IMDS)
    elif way.lost:
        _ip("route", "add", IMDS, "dev", "elsewhere", "src", way.source)
    else:
        _ip("route", "add", "local", IMDS, "dev", "lo", "table", "local", "src", way.source)


if __name__ == "__main__":
    _inside(sys.argv[1])
