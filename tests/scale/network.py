# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network namespace with nothing but loopback, on which every VM of a fleet has its address, and their emulators."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from . import fleet

EMULATOR = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files"
# Seconds that an emulator may take to end.
_PATIENCE = 30
_INSIDE = "SCALE_INSIDE"


class Emulators(NamedTuple):
    """Running emulators. folder: that of their CA, with root.pem and intermediate.pem; controls: control endpoints."""

    ports: list[int]
    pids: list[int]
    controls: list[str]
    folder: Path

    def requests(self) -> int:
        """How many requests the emulators have in their logs."""
        return sum(len(json.loads(_ask(f"{control}/requests"))) for control in self.controls)


def missing() -> str | None:
    """Why this machine has no such namespace, or None."""
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("ip"):
        return "needs Linux with unshare and ip"
    made = subprocess.run([*_unshare(), "true"], capture_output=True, text=True, check=False)
    return f"no network namespace here: {made.stderr.strip()}" if made.returncode else None


def run_isolated(module: str, arguments: Sequence[str]) -> int:
    """Run a module in a namespace of its own, and return its exit status. Its process knows by `is_inside`."""
    command = [*_unshare(), sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env={**os.environ, _INSIDE: "yes"}, check=False).returncode


def is_inside() -> bool:
    """Whether `run_isolated` has started this process."""
    return _INSIDE in os.environ


def _is_isolated() -> bool:
    """Whether no interface but loopback is up here."""
    shown = subprocess.run(["ip", "-json", "link", "show", "up"], capture_output=True, check=True).stdout
    return {link["ifname"] for link in json.loads(shown or "[]") if link} <= {"lo"}


def _unshare() -> list[str]:
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]


def add_addresses(addresses: Iterable[str]) -> None:
    """Bring loopback up, with these addresses beside its own.

    :raises RuntimeError: the namespace is not isolated
    """
    if not _is_isolated():
        raise RuntimeError("this network namespace has more than loopback; a fleet needs one of its own")
    commands = ["link set lo up", *(f"address add {address}/32 dev lo" for address in addresses)]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)


@contextmanager
def emulators(vms: Sequence[fleet.Vm], folder: Path) -> Iterator[Emulators]:
    """Serve the fleet, with the limits of IMDS.

    :param folder: an empty directory
    """
    running = Emulators([], [], [], folder / "ca")
    with ExitStack() as stack:
        for number, share in enumerate(fleet.shares(vms)):
            given = folder / f"vms-{number}.json"
            given.write_text(json.dumps([fleet.emulated(vm) for vm in share]), encoding="utf-8")
            command = [sys.executable, "-m", "azure_imds_emulator", "--listen", "0.0.0.0:0", "--control", "127.0.0.1:0"]
            command += ["--vms", str(given), "--ca-directory", str(running.folder)]
            process = subprocess.Popen(command, cwd=EMULATOR, stdout=subprocess.PIPE, text=True)
            stack.callback(_end, process)
            assert process.stdout
            ready = json.loads(process.stdout.readline())
            running.ports.append(int(ready["listen"][0].rpartition(":")[2]))
            running.pids.append(process.pid)
            running.controls.append(f"http://{ready['control']}")
        yield running


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=_PATIENCE)


def _ask(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=_PATIENCE) as answer:
        return bytes(answer.read())
