# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network namespace of one's own: every command that names 169.254.169.254 runs in there and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes import linux_report, model

# Runs inside the namespace: one JSON command per line in, one JSON answer per line out.
_AGENT = """
import json, subprocess, sys
for line in sys.stdin:
    argv, text = json.loads(line)
    env = {"LC_ALL": "C", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60, env=env)
    print(json.dumps({"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}), flush=True)
"""


class Namespace:
    """``with Namespace() as ns: ns.ip("link set lo up")``; ``persistent`` plays our own persistent form."""

    def __init__(self) -> None:
        self.persistent: list[dict[str, Any]] = []
        self._turn = threading.Lock()

    def __enter__(self) -> Namespace:
        unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
        self._agent = subprocess.Popen(
            [*unshare, sys.executable, "-S", "-u", "-c", _AGENT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._agent.stdin
        assert self._agent.stdout
        self._agent.stdin.close()
        self._agent.wait(timeout=60)
        self._agent.stdout.close()

    def run(self, argv: Sequence[str], text: str = "") -> dict[str, Any]:
        """Run one command inside: ``rc``, ``stdout``, ``stderr``."""
        assert self._agent.stdin
        assert self._agent.stdout
        with self._turn:
            self._agent.stdin.write(json.dumps([list(argv), text]) + "\n")
            self._agent.stdin.flush()
            answer: dict[str, Any] = json.loads(self._agent.stdout.readline())
        return answer

    def ip(self, *commands: str, force: bool = False) -> None:
        """Run ip's commands in one batch; with ``force`` those that fail are passed over."""
        done = self.run(["ip", *(["-force"] if force else []), "-batch", "-"], "\n".join(commands) + "\n")
        assert force or done["rc"] == 0, (commands, done)

    def collect(self, source: str = "", **more: object) -> dict[str, Any]:
        """The report that `read_linux_report` takes; ``source`` adds the verdict from that address."""
        report: dict[str, Any] = {
            part: self.run(argv)["stdout"] for part, argv in linux_report.COMMANDS.items() if part != "route_get"
        }
        report["route_get"] = self.run(linux_report.COMMANDS["route_get"])
        if source:
            report["route_get_bound"] = self.run([*linux_report.COMMANDS["route_get"], "from", source])
        return {**report, "persistent": list(self.persistent), "persistence": "test", "elevated": True, **more}

    def snapshot(self) -> tuple[str, str]:
        """All that a repair may change, and all that it may not."""
        return self.run(linux_report.COMMANDS["routes"])["stdout"], json.dumps(self.persistent)

    def apply(self, ops: Sequence[dict[str, Any]]) -> None:
        """Carry out a plan's plain operations."""
        for op in ops:
            if "arguments" in op:
                done = self.run(["ip", *op["arguments"]])
                assert done["rc"] == 0, (op, done)
            else:
                self.persistent = [op["route"]] if "route" in op and op["action"] == "persist" else []


def refusal() -> Optional[str]:
    """Why no namespace can be had here; ``None`` where it can."""
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("ip"):
        return "needs Linux with unshare and ip"
    flag = "-n" if os.geteuid() == 0 else "-rn"
    made = subprocess.run(
        ["unshare", flag, "ip", "link", "add", "t0", "type", "veth", "peer", "name", "t1"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no network namespace with veth here: {made.stderr.strip()}" if made.returncode else None


def kernel(report: dict[str, Any], bound: bool = False) -> model.RouteVerdict:
    """The kernel's own verdict in a report."""
    verdict = linux_report.parse_route_get(report["route_get_bound" if bound else "route_get"])
    assert verdict is not None, report
    return verdict


def assert_agrees(ours: model.RouteVerdict, theirs: model.RouteVerdict) -> None:
    """Our verdict and the kernel's lead the same way."""
    assert ours.error == theirs.error
    assert (ours.kind == "local") == (theirs.kind == "local")
    if not ours.error:
        assert theirs.route
        ways = [(leg.interface, leg.next_hop) for leg in ours.legs]
        assert ours.kind == "local" or (theirs.route.interface, theirs.route.next_hop) in ways
        assert len(ours.legs) > 1 or ours.source == theirs.source
