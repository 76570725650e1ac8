# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of its own for one command: a /dev with a syslog that writes to a file, and a file system that is full.

python host.py DIRECTORY COMMAND..., in a mount namespace where mounting is allowed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, timeout=10)


def make_devices(place: Path) -> None:
    """Replace /dev by one that has what programs need, and room for the socket of syslog."""
    place.mkdir()
    # Not with the sticky bit, in which the kernel keeps O_CREAT from devices of another user.
    mount("-t", "tmpfs", "-o", "mode=755", "none", str(place))
    for name in DEVICES:
        (place / name).touch()
        mount("--bind", f"/dev/{name}", str(place / name))
    for name, kind, options in (("pts", "devpts", "newinstance,ptmxmode=666"), ("shm", "tmpfs", "mode=1777")):
        (place / name).mkdir()
        mount("-t", kind, "-o", options, "none", str(place / name))
    for name, target in LINKS.items():
        (place / name).symlink_to(target)
    mount("--rbind", str(place), "/dev")


def make_full(place: Path) -> None:
    """A private directory in which files can be made, but nothing can be written to them."""
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=16k,mode=700", "none", str(place))
    try:
        (place / "ballast").write_bytes(b"x" * 65536)
    except OSError:
        return
    raise SystemExit(f"{place} is not full")


def serve_syslog(log: Path) -> None:
    """Write every message to a file, whole."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind("/dev/log")
    file = log.open("ab", buffering=0)

    def work() -> None:
        while True:
            file.write(listener.recv(1024 * 1024) + b"\n")

    threading.Thread(target=work, daemon=True).start()


def main(directory: Path, command: list[str]) -> int:
    make_devices(directory / "dev")
    make_full(directory / "full")
    serve_syslog(directory / "syslog")
    return subprocess.run(command, env=os.environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
