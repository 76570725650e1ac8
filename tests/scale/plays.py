# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One play over a fleet, and what it cost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import fleet, memory
from .network import Emulators

HERE = Path(__file__).parent
FORKS = 20
# The play that this is about.
OURS = ("facts", "attest")
ENDPOINT = {"endpoint": "{{ azure_imds_endpoint }}", "detect": "{{ azure_imds_detect }}"}
# Seconds, for a play that hangs.
TIMEOUT = 3600


def tasks(emulators: Emulators, folder: Path) -> dict[str, dict[str, Any]]:
    """The tasks by their names. The built-in roots are trusted too, as by default, so that each task looks for them."""
    trust = {
        "anchors": str(emulators.folder / "root.pem"),
        "intermediates": str(emulators.folder / "intermediate.pem"),
        "fetch_intermediates": "never",
        "cache_dir": str(folder / "cache"),
    }
    return {
        "ping": {"ansible.builtin.ping": {}},
        "facts": {"imds.azure.azure_imds_facts": ENDPOINT},
        "attest": {"imds.azure.azure_imds_attest": {**ENDPOINT, **trust, "expected_vm_id": "{{ azure_vm_id }}"}},
    }


def environment(emulators: Emulators, record: Path) -> dict[str, str]:
    """That of a controller which is measured."""
    changed = {
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "scale",
        "ANSIBLE_FORKS": str(FORKS),
        # As the documentation recommends; it makes ping, with which everything is compared, faster.
        "ANSIBLE_PIPELINING": "true",
        "SCALE_EMULATORS": " ".join(map(str, emulators.pids)),
        "SCALE_RECORD": str(record),
    }
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **changed}


def play(
    vms: Sequence[fleet.Vm],
    emulators: Emulators,
    folder: Path,
    order: Sequence[str] = OURS,
    profile: Path | None = None,
) -> dict[str, Any]:
    """What the callback of a play with these hosts wrote, with seconds, cpu, hosts and memory of the play as a whole.

    :param folder: a directory to work in
    :param order: names of tasks
    :param profile: where to write how the CPU time is spent
    :raises SystemExit: the play failed, or a host's answer is wrong
    """
    record, output = folder / "record.json", folder / "output.txt"
    record.unlink(missing_ok=True)
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory, playbook = folder / "inventory.json", folder / "play.json"
    inventory.write_text(json.dumps(fleet.inventory(vms, emulators.ports, variables)), encoding="utf-8")
    chosen = tasks(emulators, folder)
    steps = [{"name": name, **chosen[name]} for name in order]
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": steps}]), encoding="utf-8")
    program = [str(HERE / "sampled.py"), str(profile)] if profile else ["-m", "ansible.cli.playbook"]
    command = [sys.executable, *program, "--inventory", str(inventory), str(playbook)]
    began, before = time.perf_counter(), ended_cpu()
    with output.open("w", encoding="utf-8") as stdout:
        process = subprocess.Popen(command, env=environment(emulators, record), stdout=stdout, stderr=subprocess.STDOUT)
        watch = memory.Watch(process.pid)
        try:
            process.wait(TIMEOUT)
        except BaseException:
            process.terminate()
            raise
    seconds, cpu = time.perf_counter() - began, ended_cpu() - before
    watch.join()
    if process.returncode or not record.exists():
        raise SystemExit(f"the play failed:\n{output.read_text(encoding='utf-8')[-3000:]}")
    result: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    answers = result.pop("answers")
    if tuple(order) == OURS:
        wrong = fleet.differences(vms, answers)
        if wrong:
            raise SystemExit("\n".join([f"{len(wrong)} differences from the fleet, such as", *wrong[:10]]))
    return {
        **result,
        "hosts": len(vms),
        "seconds": seconds,
        "cpu": cpu,
        "memory": {"peak": watch.peak, "fork": watch.fork, "together": watch.together},
    }


def ended_cpu() -> float:
    """Seconds of CPU of all processes that this one has started and that have ended, with what those started."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
