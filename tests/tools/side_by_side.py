# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the nox sessions with a tag several at a time, one per processor, because much of a test is waiting.

side_by_side.py BUILD_DIRECTORY TAG

Each is a nox of its own, in a copy of the tree of its own; its output is printed as a whole when it ends. Two sessions
that share another tag beside ``check``, ``test``, ``cores`` and ``long`` never run at the same time. Those with such a
tag start first and those that take long next, or they would be left over at the end; apart from that the order is that
of noxfile.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

COMMON = frozenset({"check", "test", "cores", "long"})
WORKERS = min(os.cpu_count() or 1, 4)


class Session(NamedTuple):
    """A session, what only one session at a time may use, and whether it takes minutes."""

    name: str
    claims: frozenset[str]
    long: bool


class Pool:
    """The sessions that wait, and what those that run have claimed."""

    def __init__(self, sessions: list[Session], reports: Path) -> None:
        self.waiting = deque(sessions)
        self.reports = reports
        self.claimed: set[str] = set()
        self.failed: list[str] = []
        self.changed = threading.Condition()

    def take(self) -> Session | None:
        """The next session that claims nothing that is in use; ``None`` when none is left."""
        with self.changed:
            while self.waiting:
                for session in self.waiting:
                    if not session.claims & self.claimed:
                        self.waiting.remove(session)
                        self.claimed |= session.claims
                        return session
                self.changed.wait()
            return None

    def work(self, tree: str) -> None:
        """Run one session after the other in one copy of the tree."""
        while session := self.take():
            say(f"{session.name} starts, {len(self.waiting)} are waiting")
            start = time.monotonic()
            report = self.reports / f"{session.name}.json"
            command = ["nox", "--no-color", "--session", session.name, "--report", str(report)]
            environment = {**os.environ, "IMDS_TREE": tree}
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
            with self.changed:
                sys.stdout.buffer.write(b"\n" + done.stdout)
                say(f"{session.name} {'failed' if done.returncode else 'ended'} after {time.monotonic() - start:.0f} s")
                self.claimed -= session.claims
                self.failed += [session.name] if done.returncode else []
                self.changed.notify_all()


def say(text: str) -> None:
    print(f"=== {text}", flush=True)


def sessions(tag: str) -> list[Session]:
    """The sessions with a tag, as nox lists them."""
    listed = subprocess.run(["nox", "--list", "--json", "--tags", tag], stdout=subprocess.PIPE, check=True)
    found = [
        Session(entry["session"], frozenset(entry["tags"]) - COMMON, "long" in entry["tags"])
        for entry in json.loads(listed.stdout)
        if tag in entry["tags"]
    ]
    return sorted(found, key=lambda session: (not session.claims, not session.long))


def main(build: Path, tag: str) -> int:
    reports = build / "report"
    reports.mkdir(parents=True, exist_ok=True)
    pool = Pool(sessions(tag), reports)
    # ansible-test writes the path of a tree into the first lines of scripts, which have a limit: short names.
    trees = ["tree", *(f"tree{number}" for number in range(2, WORKERS + 1))]
    workers = [threading.Thread(target=pool.work, args=(tree,)) for tree in trees]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if pool.failed:
        say(f"failed: {', '.join(sorted(pool.failed))}")
    return 1 if pool.failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
