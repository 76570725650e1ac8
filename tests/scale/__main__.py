# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers and attests a fleet of emulated VMs in one play, and measures what that costs.

python -m tests.scale OUTPUT.json [--hosts SMALL LARGE] [--rounds N] [--profile]

A smaller and a larger fleet take turns, so that a machine that gets faster or slower does so for both. Everything runs
in a network namespace that has nothing but loopback, on which each VM has its own address.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible.release import __version__ as core_version

from . import fleet, network, plays, summary


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.scale", description="Measure plays over many hosts.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--hosts", type=int, nargs=2, default=(500, 2000), metavar=("SMALL", "LARGE"))
    parser.add_argument("--rounds", type=int, default=1, help="each is a small fleet, the large one, the small one")
    parser.add_argument("--profile", action="store_true", help="also say where Ansible spends the time")
    return parser.parse_args()


def measure(small: int, large: int, rounds: int, with_profile: bool) -> dict[str, Any]:
    """All figures."""
    load = os.getloadavg()[0]
    everyone = fleet.vms(large)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        network.add_addresses(vm.address for vm in everyone)
        with network.emulators(everyone, folder) as emulators:
            runs = []
            for size in (small, large, small) * rounds:
                runs.append(plays.play(everyone[:size], emulators, folder))
                _say(runs[-1])
            pings = []
            for size in (small, large):
                pings.append(plays.play(everyone[:size], emulators, folder, ["ping"]))
                _say(pings[-1])
            figures = summary.figures(runs, pings)
            if with_profile:
                figures["profile"] = {
                    str(size): _profile(everyone[:size], emulators, folder / f"profile-{size}")
                    for size in (small, large)
                }
    made = {"core": core_version, "python": platform.python_version(), "cpus": os.cpu_count(), "load": round(load, 1)}
    return {"made_with": made, **figures}


def _profile(vms: list[fleet.Vm], emulators: network.Emulators, folder: Path) -> dict[str, Any]:
    """Of a play of its own: to sample costs a little as well."""
    folder.mkdir()
    output = folder / "profile.jsonl"
    plays.play(vms, emulators, folder, profile=output)
    with output.open(encoding="utf-8") as lines:
        return summary.profile(map(json.loads, lines), len(vms))


def _say(run: dict[str, Any]) -> None:
    tasks = "  ".join(
        f"{task['name']} {task['seconds'] / task['hosts'] * 1000:.1f}/"
        f"{(task['main'] + task['forks']) / task['hosts'] * 1000:.1f}"
        for task in run["tasks"]
    )
    memory = "  ".join(f"{name} {kib / 1024:.0f} MiB" for name, kib in run["memory"].items())
    print(f"{run['hosts']:5} hosts in {run['seconds']:.0f} s  ms/host (wall/CPU): {tasks}  {memory}", flush=True)


def main() -> None:
    given = options()
    if not network.is_inside():
        reason = network.missing()
        if reason:
            raise SystemExit(reason)
        sys.exit(network.run_isolated(str(__package__), sys.argv[1:]))
    small, large = given.hosts
    figures = measure(small, large, given.rounds, given.profile)
    given.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print("\n".join(summary.verdict(figures)))


if __name__ == "__main__":
    main()
