# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests that only look at it, and how a test asks IMDS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .api import Lab
from .errors import RefusedError

SHARED_SUBNET = "10.99.0.0/24"
TOPOLOGY: dict[str, Any] = {
    "vms": [
        {"name": "web", "nics": [{"subnet": SHARED_SUBNET, "secondary_addresses": ["10.99.0.9"]}, {}]},
        {"name": "db", "nics": [{"subnet": SHARED_SUBNET}], "profile": "windows"},
        {"name": "elsewhere", "chassis_asset_tag": False},
    ]
}


@pytest.fixture(scope="session")
def _labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for all labs of these tests, apart from those that a developer keeps."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("labs")
        patch.setenv("LAB_DIR", str(path))
        yield path


@pytest.fixture
def lab_dir(_labs: Path) -> Path:
    """$LAB_DIR of these tests."""
    return _labs


@pytest.fixture(scope="session")
def lab(_labs: Path) -> Iterator[Lab]:
    """The lab of `TOPOLOGY`. Skips where the machine allows none."""
    try:
        with Lab(TOPOLOGY) as running:
            yield running
    except RefusedError as error:
        pytest.skip(str(error))


@dataclass(frozen=True)
class Reply:
    """How an attempt to ask IMDS ended."""

    exit_code: int
    connected: bool
    status: int
    body: str

    @property
    def document(self) -> Any:
        return json.loads(self.body)


# curl's exit codes.
REFUSED, TIMED_OUT = 7, 28


def ask(lab: Lab, vm: str, *options: str, path: str = "/metadata/instance") -> Reply:
    """Ask IMDS from inside a VM, for a second at most."""
    url = f"http://169.254.169.254{path}?api-version=2021-02-01"
    command = ["curl", "-q", "--silent", "--noproxy", "*", "--max-time", "1", "-H", "Metadata: true"]
    done = lab.run(vm, [*command, "-w", "\n%{time_connect} %{http_code}", *options, url])
    body, _ignored, numbers = done.stdout.rpartition("\n")
    connected, status = numbers.split()
    return Reply(done.returncode, float(connected) > 0, int(status), body)


# How asking IMDS can end.
ANSWER, SILENCE, NO_CONNECTION, AT_ONCE = "answer", "silence", "no connection", "error at once"


def ending(lab: Lab, vm: str) -> str:
    """How asking IMDS from inside a VM ends."""
    reply = ask(lab, vm)
    if reply.status == 200:
        return ANSWER
    if reply.exit_code == REFUSED:
        return AT_ONCE
    return SILENCE if reply.connected else NO_CONNECTION
