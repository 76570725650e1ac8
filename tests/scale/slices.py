# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does what the scaling guide says about larger fleets: slices by ansible-runner that share a fact cache in Redis.

python -m tests.scale.slices OUTPUT.json [--hosts N] [--slices N]

The slices ask emulated VMs. Then these are ended, and a play that contacts no host writes the report of the fleet from
the cache; what is in there is compared with the fleet.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import fleet, network

HERE = Path(__file__).parent
# The namespace is our own, and so is each port in it.
REDIS_PORT = 6379
CONFIGURATION = f"""\
[defaults]
forks = 20
pipelining = true
gathering = explicit
inject_facts_as_vars = false
fact_caching = community.general.redis
fact_caching_connection = 127.0.0.1:{REDIS_PORT}:0
fact_caching_timeout = 86400
"""
REPORT = [
    {
        "name": "Report on what the fact cache knows",
        "hosts": "localhost",
        "gather_facts": False,
        "roles": [
            {
                "role": "imds.azure.azure_imds_report",
                "vars": {"azure_imds_report_hosts": "{{ groups['all'] }}", "azure_imds_report_directory": "report"},
            }
        ],
    }
]
# Seconds, for a play that hangs, and for Redis to start or to end.
TIMEOUT, PATIENCE = 3600, 30


def missing() -> str | None:
    """Why it can't be done here, or None."""
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        return "needs redis-server and redis-cli, as of Debian's package redis-server"
    for library in ("ansible_runner", "redis"):
        if importlib.util.find_spec(library) is None:
            return f"needs the Python library {library}"
    plugin = Path("ansible_collections", "community", "general", "plugins", "cache", "redis.py")
    if not any(Path(place, plugin).exists() for place in sys.path):
        return "needs the cache plugin community.general.redis, which is in the Python package ansible"
    return network.missing()


@contextmanager
def redis(folder: Path) -> Iterator[None]:
    """A Redis on loopback that keeps nothing on disk."""
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(REDIS_PORT), "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen([*command, "--save", "", "--appendonly", "no"], stdout=log, stderr=log)
    try:
        until = time.monotonic() + PATIENCE
        while ask_redis("ping") != "PONG":
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"Redis does not start:\n{(folder / 'redis.log').read_text(errors='replace')}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def ask_redis(*command: str) -> str:
    """What redis-cli prints; empty if nobody answers."""
    asked = ["redis-cli", "-h", "127.0.0.1", "-p", str(REDIS_PORT), *command]
    return subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=False).stdout.strip()


def run(command: Sequence[str], folder: Path) -> float:
    """Run a command of the user's in the folder; the seconds it took.

    :raises SystemExit: it failed
    """
    changed = {"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **changed},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - began


def measure(hosts: int, slices: int) -> dict[str, Any]:
    """Do it, check it, and say how long it took.

    :raises SystemExit: something is not as the guide says
    """
    vms = fleet.vms(hosts)
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        network.add_addresses(vm.address for vm in vms)
        (folder / "ansible.cfg").write_text(CONFIGURATION, encoding="utf-8")
        (folder / "report.yml").write_text(json.dumps(REPORT), encoding="utf-8")
        shutil.copy(HERE / "gather_in_slices.py", folder)
        with redis(folder):
            with network.emulators(vms, folder) as emulators:
                inventory = fleet.inventory(vms, emulators.ports, variables)
                (folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
                gather = [sys.executable, "gather_in_slices.py", "inventory.json", str(slices)]
                gathering = run(gather, folder)
                asked = emulators.requests()
            # Nobody could answer any more.
            cached = int(ask_redis("zcard", "ansible_cache_keys") or 0)
            memory = dict(line.split(":", 1) for line in ask_redis("info", "memory").splitlines() if ":" in line)
            reading = run(["ansible-playbook", "-i", "inventory.json", "report.yml"], folder)
        report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
        directories = len(list(folder.glob("slice-*/artifacts/*/rc")))
    wrong = differences(vms, report)
    wrong += [
        f"{what} instead of {expected} {unit}"
        for what, expected, unit in (
            (cached, hosts, "hosts in the cache"),
            (asked, hosts, "requests"),
            (directories, slices, "runs"),
        )
        if what != expected
    ]
    if wrong:
        raise SystemExit("\n".join([f"{len(wrong)} differences from the fleet, such as", *wrong[:10]]))
    return {
        "hosts": hosts,
        "slices": slices,
        "gather_seconds": round(gathering, 1),
        "report_seconds": round(reading, 1),
        "redis_mib": round(int(memory["used_memory"]) / 1024**2, 1),
    }


def differences(vms: Sequence[fleet.Vm], report: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the report has otherwise than the fleet is."""
    entries = {entry["host"]: entry for entry in report}
    found = [f"{name} is not of the fleet" for name in entries if name not in {vm.name for vm in vms}]
    for vm in vms:
        entry = entries.get(vm.name, {})
        for name in ("name", "vm_id", "zone", "tags"):
            if entry.get(name) != getattr(vm, name):
                found.append(f"{vm.name}: {name} is {entry.get(name)!r} instead of {getattr(vm, name)!r}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.scale.slices", description="Gather a fleet in slices.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--slices", type=int, default=4)
    given = parser.parse_args()
    if not network.is_inside():
        reason = missing()
        if reason:
            print(f"skipped: {reason}")
            return
        sys.exit(network.run_isolated(f"{__package__}.slices", sys.argv[1:]))
    figures = measure(given.hosts, given.slices)
    given.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
