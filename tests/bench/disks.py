# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A VM of the lab with as many disks and NICs as Azure attaches to one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.lab.api import Lab
from ansible_collections.imds.azure.tests.lab.errors import LabError
from ansible_collections.imds.azure.tests.scenarios.guest_disks import NVME_OS, listed

DISKS, NICS = 64, 8


def _disk(lun: int) -> dict[str, Any]:
    links = [f"azure/data/by-lun/{lun}", f"by-id/nvme-eui.{lun:016x}", f"by-path/acpi-VMBUS:00-nvme-{lun + 2}"]
    return {"device": f"nvme0n{lun + 2}", "controller": "nvme", "partitions_mib": [1024], "links": links}


TOPOLOGY: dict[str, Any] = {
    "vms": [
        {
            "name": "many-disks",
            "disks": [NVME_OS, *map(_disk, range(DISKS))],
            "nics": [{}] * NICS,
            "overrides": {"compute": {"storageProfile": listed(*range(DISKS))}},
            "options": {"limiter": False},
            "python": sys.executable,
        }
    ]
}


def missing() -> str | None:
    """Why this machine can't run the lab, or None."""
    try:
        with Lab({"vms": [{"name": "vm"}], "emulator": False}):
            return None
    except LabError as error:
        return str(error)


@contextmanager
def lab() -> Iterator[Path]:
    """The inventory of the VM, while it is up."""
    with Lab(TOPOLOGY) as running:
        yield running.place.inventory
