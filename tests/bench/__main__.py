# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark. Ratios of medians, all measured in one run, because machines differ and are shared.

python -m tests.bench OUTPUT.json [--rounds N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from . import disks, over_ssh, routes, watcher, windows

HERE = Path(__file__).parent
EMULATOR = HERE.parents[1] / "roles" / "azure_imds_emulator" / "files"
URL = "/metadata/instance?api-version=2025-04-07"
NONCE = "5a0d6f8a7b2e4c1f9d3b6a8c0e2f4a6b"
ATTESTED = f"/metadata/attested/document?api-version=2025-04-07&nonce={NONCE}"


class Goal(NamedTuple):
    """What a figure is, and where it should be at most; None where it is only told."""

    text: str
    limit: float | None = None


GOALS = {
    "facts_vs_ping_ssh": Goal("facts task / ping, over SSH", 0.28),
    "facts_vs_raw_ssh": Goal("facts task / raw, over SSH", 1.35),
    "facts_pipelined_vs_ping_ssh": Goal("facts task / ping, over SSH with pipelining"),
    "hosts10_vs_ping_ssh": Goal("10 hosts, 5 forks, facts task / ping, over SSH", 0.30),
    "attest_vs_ping_ssh": Goal("attest task, CA certificates at hand / ping, over SSH", 0.35),
    "facts_vs_ping_local": Goal("facts task / ping", 0.45),
    "facts_module_vs_ping": Goal("facts as an ordinary module, by gather_facts / ping", 1.10),
    "facts_off_azure_vs_ping": Goal("facts task off Azure / ping", 1.05),
    "facts_64_disks_vs_ping": Goal("facts task on a VM with 64 data disks and 8 NICs / ping", 1.10),
    "facts_task_vs_uri": Goal("facts task / uri doing the same GET"),
    "attest_task_vs_ping": Goal("attest task, CA certificates at hand / ping"),
    "attest_verify_ms": Goal("verifying one document, CA certificates at hand, ms of CPU", 1.0),
    "attest_verify_cold_vs_warm": Goal("first verification in a process, bundles indexed / a later one", 2.5),
    "facts_d_ms": Goal("local fact script within setup, ms", 40),
    "requests_per_facts_run": Goal("requests per facts task", 1),
    "facts_windows_vs_basic": Goal("Windows facts task / a module with Ansible.Basic only, CPU", 0.5),
    "facts_windows_module_vs_basic": Goal("the same with the module, as gather_facts runs it", 1.25),
    "hosts50_forks5_vs_ping": Goal("50 hosts, 5 forks, per host / ping", 1.08),
    "hosts50_forks20_vs_ping": Goal("50 hosts, 20 forks, per host / ping", 1.08),
    "events_info_vs_ping": Goal("scheduled events task / ping"),
    "token_vs_ping": Goal("token task, nothing kept on the host / ping"),
    "route_query_vs_ping": Goal("route fix, query task / ping"),
    "route_controller_cpu_ms": Goal("route fix, controller's CPU for a router with 200,000 routes", 50.0),
    "watcher_memory_mib": Goal("event watcher, private memory after 2,000 polls, MiB", 15.0),
    "watcher_cpu_s_per_hour": Goal("event watcher, seconds of CPU per hour"),
    "emulator_p50_ms": Goal("emulator, kept-alive request, median ms", 1.0),
}


@contextmanager
def emulator() -> Iterator[tuple[int, int]]:
    """An emulator on loopback without a limit, whose VM has an identity: (its port, its control port)."""
    command = [sys.executable, "-m", "azure_imds_emulator", "--no-limiter"]
    command += ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
    environment = {**os.environ, "PYTHONPATH": str(EMULATOR)}
    with tempfile.TemporaryDirectory() as scratch:
        vms = Path(scratch, "vms.json")
        vms.write_text(json.dumps([{"name": "bench", "identity": {"system_assigned": True}}]), encoding="utf-8")
        command += ["--vms", str(vms)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                ready = json.loads(process.stdout.readline())
                yield int(ready["listen"][0].rpartition(":")[2]), int(ready["control"].rpartition(":")[2])
            finally:
                process.terminate()


def play(
    tasks: list[dict[str, Any]], hosts: int = 1, forks: int = 5, inventory: Path | None = None
) -> dict[str, list[float]]:
    """Run tasks on local hosts, or on those of an inventory; the first round of each name is warm-up.

    {task name: [seconds, ...]}
    """
    with tempfile.TemporaryDirectory() as scratch:
        playbook, times = Path(scratch, "bench.yml"), Path(scratch, "times.json")
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        environment = {
            **os.environ,
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "ANSIBLE_FORKS": str(forks),
            "TASK_TIMES": str(times),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        names = "".join(f"host{number}," for number in range(hosts))
        local = [names, "--connection", "local", "--extra-vars", f"ansible_python_interpreter={sys.executable}"]
        command = ["ansible-playbook", "--inventory", *([str(inventory)] if inventory else local)]
        done = subprocess.run([*command, str(playbook)], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the play failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        found: dict[str, list[float]] = {}
        for name, seconds in json.loads(times.read_text(encoding="utf-8")):
            found.setdefault(name, []).append(seconds)
    return {name: values[1:] for name, values in found.items()}


def interleaved(kinds: dict[str, dict[str, Any]], rounds: int) -> list[dict[str, Any]]:
    return [{"name": name, **task} for _round in range(rounds + 1) for name, task in kinds.items()]


def facts_task(port: int) -> dict[str, Any]:
    return {"imds.azure.azure_imds_facts": {"endpoint": f"http://127.0.0.1:{port}", "detect": "force"}}


PING: dict[str, Any] = {"ansible.builtin.ping": {}}


def gather_facts(port: int) -> dict[str, Any]:
    """The same by the ordinary module."""
    facts = facts_task(port)
    return {
        "ansible.builtin.gather_facts": {},
        "module_defaults": facts,
        "vars": {"ansible_facts_modules": list(facts)},
    }


def one_host(port: int, control: int, rounds: int) -> dict[str, float]:
    uri = {"url": f"http://127.0.0.1:{port}{URL}", "headers": {"Metadata": "true"}, "return_content": True}
    kinds = {
        "ping": PING,
        "facts": facts_task(port),
        "module": gather_facts(port),
        "off_azure": {"imds.azure.azure_imds_facts": {"chassis_asset_tag": "none"}},
        "uri": {"ansible.builtin.uri": uri},
    }
    control_request(control, "DELETE")
    times = {name: median(values) for name, values in play(interleaved(kinds, rounds)).items()}
    sent = [r for r in control_request(control, "GET") if "imds.azure" in r["headers"].get("User-Agent", "")]
    return {
        "facts_vs_ping_local": times["facts"] / times["ping"],
        "facts_module_vs_ping": times["module"] / times["ping"],
        "facts_off_azure_vs_ping": times["off_azure"] / times["ping"],
        "facts_task_vs_uri": times["facts"] / times["uri"],
        "requests_per_facts_run": len(sent) / (rounds + 1) / 2,  # by the task, and by the module
    }


def events_task(port: int) -> dict[str, Any]:
    return {"imds.azure.azure_imds_scheduled_events_info": {"endpoint": f"http://127.0.0.1:{port}", "detect": "force"}}


def token_task(port: int) -> dict[str, Any]:
    options = {"endpoint": f"http://127.0.0.1:{port}", "detect": "force", "resource": "https://vault.azure.net"}
    return {"imds.azure.azure_imds_token": options}


def vs_ping(task: dict[str, Any], rounds: int) -> float:
    times = {name: median(values) for name, values in play(interleaved({"ping": PING, "task": task}, rounds)).items()}
    return times["task"] / times["ping"]


def many_disks(rounds: int) -> dict[str, float]:
    with disks.lab() as inventory:
        kinds = {"ping": PING, "facts": {"imds.azure.azure_imds_facts": {}}}
        times = {name: median(values) for name, values in play(interleaved(kinds, rounds), inventory=inventory).items()}
    return {"facts_64_disks_vs_ping": times["facts"] / times["ping"]}


def ssh(rounds: int) -> dict[str, float]:
    """Tasks over a real sshd, as Ansible connects by default."""
    facts: dict[str, Any] = {"imds.azure.azure_imds_facts": {}}
    with over_ssh.hosts(10) as hosts:
        kinds = {
            "ping": PING,
            "raw": {"ansible.builtin.raw": "true"},
            "facts": facts,
            "attest": {"imds.azure.azure_imds_attest": hosts.trust},
            **{
                f"{name}, pipelined": {**task, "vars": {"ansible_pipelining": True}}
                for name, task in (("ping", PING), ("facts", facts))
            },
        }
        one = play(interleaved(kinds, rounds), inventory=hosts.one)
        several = play(interleaved({"ping": PING, "facts": facts}, rounds), inventory=hosts.several)
    times = {name: median(values) for name, values in one.items()}
    return {
        "facts_vs_ping_ssh": times["facts"] / times["ping"],
        "facts_vs_raw_ssh": times["facts"] / times["raw"],
        "facts_pipelined_vs_ping_ssh": times["facts, pipelined"] / times["ping, pipelined"],
        "attest_vs_ping_ssh": times["attest"] / times["ping"],
        "hosts10_vs_ping_ssh": median(several["facts"]) / median(several["ping"]),
    }


def attestation(port: int, control: int, rounds: int) -> dict[str, float]:
    """The whole task, and on the controller's CPU the verification alone."""
    with tempfile.TemporaryDirectory() as scratch:
        trust: dict[str, Any] = {"builtin_anchors": False, "fetch_intermediates": "never"}
        for option, name in (("anchors", "root"), ("intermediates", "intermediate")):
            trust[option] = str(Path(scratch, f"{name}.pem"))
            Path(trust[option]).write_bytes(request(control, f"/ca/{name}.pem"))
        asked = {"endpoint": f"http://127.0.0.1:{port}", "detect": "force", **trust}
        kinds = {"ping": PING, "attest": {"imds.azure.azure_imds_attest": asked}}
        times = {name: median(values) for name, values in play(interleaved(kinds, rounds)).items()}
        figures = cold_and_warm(json.loads(request(port, ATTESTED)), trust, scratch, rounds)
    return {"attest_task_vs_ping": times["attest"] / times["ping"], **figures}


def cold_and_warm(evidence: dict[str, str], trust: dict[str, Any], scratch: str, rounds: int) -> dict[str, float]:
    """CPU of verifications in processes of their own. The built-in roots are wanted too, so the CA bundles count."""
    wanted = {**trust, "builtin_anchors": True, "cache_dir": scratch}
    asked = json.dumps({"evidence": evidence, "nonce": NONCE, "trust": wanted})
    command = [sys.executable, "-m", f"{__package__}.verification"]
    runs = []
    for _round in range(rounds + 1):
        done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    measured = runs[1:]  # the first one makes the index
    warm = median(run["warm"] for run in measured)
    return {
        "attest_verify_ms": median(run["verify"] for run in measured) * 1000,
        "attest_verify_cold_vs_warm": median(run["cold"] for run in measured) / warm,
    }


def fifty_hosts(port: int, rounds: int) -> dict[str, float]:
    result = {}
    for forks in (5, 20):
        times = play(interleaved({"ping": PING, "facts": facts_task(port)}, rounds), hosts=50, forks=forks)
        result[f"hosts50_forks{forks}_vs_ping"] = median(times["facts"]) / median(times["ping"])
    return result


def local_facts(port: int, rounds: int) -> dict[str, float]:
    """What the installed script adds to a setup that reads local facts only."""
    with tempfile.TemporaryDirectory() as without, tempfile.TemporaryDirectory() as with_script:
        install = {"path": with_script, "endpoint": f"http://127.0.0.1:{port}", "detect": "force"}
        play([{"name": "install", "imds.azure.azure_imds_local_facts": install}])
        subset = ["!all", "!min", "local"]
        kinds = {
            name: {"ansible.builtin.setup": {"gather_subset": subset, "fact_path": path}}
            for name, path in (("without", without), ("with", with_script))
        }
        times = {name: median(values) for name, values in play(interleaved(kinds, rounds)).items()}
    return {"facts_d_ms": (times["with"] - times["without"]) * 1000}


def kept_alive(port: int, requests: int = 2000) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for _request in range(requests):
        started = time.perf_counter()
        connection.request("GET", URL, headers={"Metadata": "true"})
        connection.getresponse().read()
        times.append(time.perf_counter() - started)
    connection.close()
    return {"emulator_p50_ms": median(times) * 1000}


def control_request(port: int, method: str) -> Any:
    return json.loads(request(port, "/requests", method) or b"null")


def request(port: int, target: str, method: str = "GET") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, target, headers={"Metadata": "true"})
    body = connection.getresponse().read()
    connection.close()
    return body


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description="Run the benchmark.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--rounds", type=int, default=20, help="of the one-host figures; at least 10 of the others")
    options = parser.parse_args()
    few = max(10, options.rounds // 2)
    figures: dict[str, float] = {}
    with emulator() as (port, control):
        figures.update(kept_alive(port))
        figures.update(watcher.cost(port))
        figures.update(one_host(port, control, max(10, options.rounds)))
        figures.update(attestation(port, control, max(10, options.rounds)))
        figures["events_info_vs_ping"] = vs_ping(events_task(port), max(10, options.rounds))
        figures["token_vs_ping"] = vs_ping(token_task(port), max(10, options.rounds))
        figures["route_query_vs_ping"] = vs_ping(routes.query_task(port), max(10, options.rounds))
        figures.update(local_facts(port, max(10, options.rounds)))
        figures.update(fifty_hosts(port, few))
        no_mono = windows.missing()
        if no_mono is None:
            figures.update(windows.facts_vs_basic(port, few))
    no_lab = disks.missing()
    if no_lab is None:
        figures.update(many_disks(max(10, options.rounds)))
    no_sshd = over_ssh.missing()
    if no_sshd is None:
        figures.update(ssh(few))
    unmeasured = {"facts_windows": no_mono, "facts_64_disks": no_lab, "ssh": no_sshd}
    figures["route_controller_cpu_ms"] = routes.controller_cpu(few)
    figures = {name: round(figures[name], 3) for name in GOALS if name in figures}
    options.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"{'figure':<28} {'measured':>8} {'goal':>6}")
    for name, goal in GOALS.items():
        if name not in figures:
            why = next(reason for part, reason in unmeasured.items() if part in name)
            print(f"{name:<28} {'-':>8} {why}")
            continue
        verdict = (
            "" if goal.limit is None else f"{goal.limit:>6g} " + ("ok" if figures[name] <= goal.limit else "MISSED")
        )
        print(f"{name:<28} {figures[name]:>8.3f} {verdict:<14} {goal.text}")


if __name__ == "__main__":
    main()
