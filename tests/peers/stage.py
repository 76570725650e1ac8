# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where tools are measured: VMs of the lab, the services that they ask, and witnesses of what leaves a VM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.lab import api
from ansible_collections.imds.azure.tests.lab.api import Lab
from ansible_collections.imds.azure.tests.lab.spec import DEFAULT_PYTHON, FABRIC
from ansible_collections.imds.azure.tests.lab.vm import IMDS

from .ec2 import INSTANCE_ID

HERE = Path(__file__).resolve().parent
PYTHON = DEFAULT_PYTHON
PROXY = "127.0.0.1:3128"
_DEVICE = "eth0"
_READY_SECONDS = 10.0

# An ordinary VM; one whose IMDS does not answer; and one that is somewhere else, where the address leads nowhere.
ON_AZURE, SILENT, ELSEWHERE = "on-azure", "silent", "elsewhere"
VM_ID = "5f0c2d1e-8b7a-4c6d-9e3f-1a2b3c4d5e6f"
_NOWHERE = [{"reaches_imds": False}]
_AZURE = {
    "vms": [
        {"name": ON_AZURE, "product_uuid": VM_ID},
        {"name": SILENT, "nics": _NOWHERE},
        {"name": ELSEWHERE, "nics": _NOWHERE, "chassis_asset_tag": False},
    ]
}
# The same on EC2, whose service is ours to start. No tool that is measured there looks at the firmware.
ON_EC2 = "on-ec2"
_EC2 = {
    "emulator": False,
    "vms": [
        {"name": ON_EC2, "chassis_asset_tag": False},
        {"name": ELSEWHERE, "nics": _NOWHERE, "chassis_asset_tag": False},
    ],
}


class Stage:
    """VMs on one cloud. home: the one that gets answers. known: what only the metadata service tells."""

    home: str
    known: str

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @contextmanager
    def service(self, throttled: int = 0) -> Iterator[Log]:
        """A service that has not been asked yet, and what it is asked meanwhile.

        :param throttled: how many requests are answered with 429 first
        """
        raise NotImplementedError

    @contextmanager
    def proxy(self) -> Iterator[Log]:
        """A proxy in the VM that gets answers, and what it is asked."""
        with background(self.lab, self.home, "proxy.py", PROXY) as log:
            yield log

    @contextmanager
    def packets(self, vm: str) -> Iterator[Log]:
        """The packets that leave a VM for the service's address."""
        with background(self.lab, vm, "packets.py", _DEVICE, IMDS) as log:
            yield log

    def run(self, vm: str, command: Sequence[str], environment: Mapping[str, str], **job: Any) -> dict[str, Any]:
        """Run a command in a VM, see `meter`.

        :param job: seconds that it has, and whether memory is measured
        """
        asked = {"seconds": 60.0, "memory": False, **job, "command": list(command), "environment": dict(environment)}
        meter = [PYTHON, "-S", "-E", str(HERE / "meter.py")]
        done = self.lab.run(vm, meter, check=True, timeout=asked["seconds"] + 30, stdin=json.dumps(asked))
        result: dict[str, Any] = json.loads(done.stdout)
        return result


class Log:
    """What a witness has written down."""

    def __init__(self, read: Any) -> None:
        self._read = read

    def entries(self) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self._read()
        return result


class OnAzure(Stage):
    home, known = ON_AZURE, VM_ID

    @contextmanager
    def service(self, throttled: int = 0) -> Iterator[Log]:
        emulator = self.lab.emulator
        emulator.clear_requests()
        if throttled:
            emulator.faults({"path": "/metadata", "status": 429, "count": throttled})
        try:
            yield Log(emulator.requests)
        finally:
            emulator.clear_faults()


class OnEc2(Stage):
    home, known = ON_EC2, INSTANCE_ID

    @contextmanager
    def service(self, throttled: int = 0) -> Iterator[Log]:
        with background(self.lab, FABRIC, "ec2.py", f"{IMDS}:80", str(throttled)) as log:
            yield log


@contextmanager
def azure() -> Iterator[Stage]:
    """
    :raises LabError: where this machine allows no lab
    """
    with Lab(_AZURE) as lab:
        yield OnAzure(lab)


@contextmanager
def ec2() -> Iterator[Stage]:
    """
    :raises LabError: where this machine allows no lab
    """
    with Lab(_EC2) as lab:
        yield OnEc2(lab)


@contextmanager
def background(lab: Lab, member: str, script: str, *arguments: str) -> Iterator[Log]:
    """Run a script of this directory in a member of the lab for as long as the block, once it is ready.

    It gets a file as its first argument, to which it appends lines of JSON, the first one when it is ready.
    """
    file = lab.place.shared(member) / f"{Path(script).stem}.log"
    file.unlink(missing_ok=True)
    command = api.argv(lab.place, member, [PYTHON, "-S", "-E", str(HERE / script), str(file), *arguments])

    def read() -> list[dict[str, Any]]:
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    with subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + _READY_SECONDS
            while not read():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{script} did not start in {member}")
                time.sleep(0.01)
            yield Log(lambda: read()[1:])
        finally:
            os.killpg(process.pid, signal.SIGKILL)
