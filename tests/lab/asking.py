# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a test asks IMDS from inside a VM of the lab, and how that can end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .api import Lab


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
