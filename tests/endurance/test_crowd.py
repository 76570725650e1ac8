# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many processes on one VM, which IMDS allows 5 requests per second altogether."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from .processes import emulator, python

PROCESSES = 50
PROGRAM = """
import json, sys
from ansible_collections.imds.azure.plugins.module_utils._imds import client, options, reasons
asking = client.Client(options.settings({"endpoint": sys.argv[1], "detect": "force"}))
try:
    asking.instance()
    reason = "ok"
except reasons.ImdsError as error:
    reason = error.reason.code
print(json.dumps({"reason": reason, "requests": asking.requests, "seconds": asking.elapsed}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the queue of the throttled")
def test_all_of_a_crowd_get_their_answer(record_property: Callable[[str, Any], None]) -> None:
    with emulator() as imds:
        crowd = [python(PROGRAM, imds.url) for _process in range(PROCESSES)]
        ended = [process.communicate(timeout=120) for process in crowd]
    assert [errors for _output, errors in ended if errors] == []
    found = [json.loads(output) for output, _errors in ended]
    requests, slowest = sum(one["requests"] for one in found), max(one["seconds"] for one in found)
    record_property("requests", requests)
    record_property("slowest_s", f"{slowest:.1f}")
    print(f"{PROCESSES} processes: {requests} requests, the slowest took {slowest:.1f} s")
    assert Counter(one["reason"] for one in found) == {"ok": PROCESSES}
    # Each is throttled once at most, but for the first in the queue.
    assert requests <= 2 * PROCESSES + 5
