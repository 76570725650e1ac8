# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""10,000 requests to the emulator, and 10,000 polls of the watcher: neither occupies more at the end than at first."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .processes import Emulator, Occupied, emulator, occupied, python

ALL = 10_000
# After these, what there is to load is loaded, and what is kept for a while has its full size.
PORTION = 2_000
# KiB. A leak of one small object for each request would be more.
NOISE = 1_024

TARGETS = (
    "/metadata/instance?api-version=2025-04-07",
    "/metadata/scheduledevents?api-version=2020-07-01",
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net",
    "/metadata/attested/document?api-version=2025-04-07&nonce=1234567890",
    "/metadata/nowhere?api-version=2025-04-07",
)
WATCHER = """
import json, runpy, sys
from ansible_collections.imds.azure.tests.endurance.processes import occupied
from ansible_collections.imds.azure.tests.scenarios.watcher_program import LINUX
sys.argv = [str(LINUX), sys.argv[1], "--polls", sys.argv[2]]
try:
    runpy.run_path(str(LINUX), run_name="__main__")
except SystemExit as end:
    print(json.dumps([end.code, *occupied("self")]))
"""


def ask(imds: Emulator) -> Occupied:
    """PORTION requests of all kinds, 50 on each connection; what the emulator then occupies without its log of them."""
    for number in range(PORTION):
        if number % 50 == 0:
            connection = http.client.HTTPConnection(imds.host, imds.port, timeout=10)
        connection.request("GET", TARGETS[number % len(TARGETS)], headers={"Metadata": "true"})
        connection.getresponse().read()
        if number % 50 == 49:
            connection.close()
    control = http.client.HTTPConnection(imds.control, timeout=10)
    control.request("DELETE", "/requests")
    assert control.getresponse().status < 300
    control.close()
    return occupied(imds.pid)


def test_emulator(record_property: Callable[[str, Any], None]) -> None:
    with emulator("--no-limiter") as imds:
        first, *_others, last = [ask(imds) for _portion in range(ALL // PORTION)]
    judge(first, last, record_property)


def test_watcher(tmp_path: Path, record_property: Callable[[str, Any], None]) -> None:
    with emulator("--no-limiter") as imds:
        config = tmp_path / "config.json"
        settings = {"interval": 0, "endpoint": imds.url, "detect": "force", "state_file": str(tmp_path / "state")}
        config.write_text(json.dumps({**settings, "command": ["/bin/true"]}))
        few, many = [poll(config, polls) for polls in (PORTION, ALL)]
    judge(few, many, record_property)


def poll(config: Path, polls: int) -> Occupied:
    """What the watcher occupies after so many polls."""
    output, errors = python(WATCHER, str(config), str(polls)).communicate(timeout=300)
    assert output, errors
    status, *figures = json.loads(output.splitlines()[-1])
    assert status == 0, errors
    return Occupied(*figures)


def judge(before: Occupied, after: Occupied, record_property: Callable[[str, Any], None]) -> None:
    record_property("private_memory_kib", f"{before.memory} after {PORTION}, {after.memory} after {ALL}")
    print(f"private memory: {before.memory} KiB after {PORTION}, {after.memory} KiB after {ALL}")
    assert after.memory < before.memory + NOISE
    assert after.files <= before.files + 1
    assert after.threads <= before.threads + 1
