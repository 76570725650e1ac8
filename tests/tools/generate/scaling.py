# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures of the scaling guide as reStructuredText: what `make bench`, `bench-scale` and `slices` have measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.scale.summary import PARTS

from .pages import table

_TESTS = Path(__file__).resolve().parents[2]
_FIGURES = _TESTS / "bench" / "figures"
_RECIPE = _TESTS / "scale" / "gather_in_slices.py"

# Figure of the benchmark -> the task, and what it is compared with.
_RATIOS: Mapping[str, tuple[str, str]] = {
    "facts_vs_ping_ssh": ("Facts, over SSH", "``ping``"),
    "facts_vs_raw_ssh": ("Facts, over SSH", '``raw: "true"``'),
    "attest_vs_ping_ssh": ("Attestation, over SSH", "``ping``"),
    "hosts10_vs_ping_ssh": ("Facts of 10 hosts with 5 forks, over SSH", "``ping``"),
    "facts_vs_ping_local": ("Facts, connection ``local``", "``ping``"),
    "facts_64_disks_vs_ping": ("Facts of a VM with 64 data disks and 8 NICs", "``ping``"),
    "facts_off_azure_vs_ping": ("Facts of a host that is not on Azure, connection ``local``", "``ping``"),
    "facts_module_vs_ping": ("Facts by ``gather_facts``, which runs the module, connection ``local``", "``ping``"),
}
_TASKS = {"ping": "``ping``", "facts": "Facts", "attest": "Attestation"}
_COSTS = {"seconds": "elapsed", "cpu": "CPU", "main": "CPU of the main process"}
_MEMORY = {
    "peak": "Main process, MiB at most",
    "fork": "One fork without what it shares, MiB at most",
    "together": "Main process and all forks together, MiB at most",
}


def _figures(name: str) -> Any:
    return json.loads((_FIGURES / f"{name}.json").read_text(encoding="utf-8"))


def ratios() -> list[str]:
    """What a task costs against another one."""
    measured = _figures("bench")
    rows = [(*texts, f"{measured[name]:.3f}") for name, texts in _RATIOS.items() if name in measured]
    return table(("Task", "Against", "Ratio"), rows)


def costs() -> list[str]:
    """Milliseconds per host, by task and size of the fleet."""
    measured = _figures("scale")
    small, large = measured["sizes"].values()
    rows = []
    for task, title in _TASKS.items():
        for cost, name in _COSTS.items():
            pair = small["tasks"][task][cost], large["tasks"][task][cost]
            rows.append(
                (f"{title}, {name}", *(f"{each:.1f}" for each in pair), f"{round(pair[1] / pair[0] - 1, 2) + 0.0:+.0%}")
            )
    for task, title in _TASKS.items():
        if task != "ping":
            pair = small["cpu_vs_ping"][task], large["cpu_vs_ping"][task]
            rows.append((f"{title} against ``ping``, CPU", *(f"{each:.2f}" for each in pair), ""))
    return table(("Milliseconds per host", *_sizes(measured), "Change"), rows)


def circumstances() -> list[str]:
    """With what, and beside what, the play was measured."""
    measured = _figures("scale")
    made = measured["made_with"]
    sizes = zip(_sizes(measured), measured["sizes"].values())
    runs = " and ".join(f"{size['runs']} with {hosts}" for hosts, size in sizes)
    lines = [
        "",
        f"Measured with ansible-core {made['core']} and Python {made['python']} on {made['cpus']} cores.",
        f"The figures are means of several plays, {runs}.",
    ]
    if made["load"] > 1:
        lines.append(f"Other work shared the cores: the load average was {made['load']:.0f} before the first play.")
        lines.append("It makes the elapsed time longer and less certain, so compare the CPU time.")
    return [*lines, ""]


def totals() -> list[str]:
    """Time and memory of the whole play."""
    measured = _figures("scale")
    sizes = measured["sizes"].values()
    rows = [
        ("Elapsed seconds, both tasks", *(f"{size['seconds']:.0f}" for size in sizes)),
        ("Seconds of CPU", *(f"{size['cpu']:.0f}" for size in sizes)),
    ]
    rows += [(title, *(f"{size['memory_mib'][name]:.0f}" for size in sizes)) for name, title in _MEMORY.items()]
    return table(("The whole play", *_sizes(measured)), rows)


def profile(process: str) -> list[str]:
    """What the CPU time of a kind of process goes into."""
    measured = _figures("scale")
    small, large = (profile[process] for profile in measured["profile"].values())
    rows = [
        (what, f"``{_short(name)}``", *_part(small[name], large[name], large)) for name, what in PARTS[process].items()
    ]
    small_rest, large_rest = (size["all"] - sum(size[name] for name in PARTS[process]) for size in (small, large))
    rows.append(("everything else", "", *_part(small_rest, large_rest, large)))
    rows.append(("together", "", *_part(small["all"], large["all"], large)))
    return table(("Milliseconds of CPU per host", "Function", *_sizes(measured), "Share"), rows)


def _part(small: float, large: float, whole: Mapping[str, float]) -> tuple[str, str, str]:
    return f"{small:.1f}", f"{large:.1f}", f"{large / whole['all']:.0%}"


def _short(name: str) -> str:
    """A function's name without its packages."""
    module, *names = name.split(".")[-3:]
    return ".".join((module, *names))


def slices() -> list[str]:
    """What the recipe took."""
    measured = _figures("slices")
    rows = [
        ("Hosts", f"{measured['hosts']:,}"),
        ("Slices, side by side on two cores", str(measured["slices"])),
        ("Seconds to gather", f"{measured['gather_seconds']:.0f}"),
        ("Seconds to write the report from the cache", f"{measured['report_seconds']:.0f}"),
        ("Memory of Redis, MiB", f"{measured['redis_mib']:.0f}"),
    ]
    return table(("Figure", "Measured"), rows)


def recipe() -> list[str]:
    """The program that `make slices` has run."""
    text = _RECIPE.read_text(encoding="utf-8")
    program = text.partition("# <recipe>\n")[2].partition("# </recipe>\n")[0]
    lines = [f"    {line}".rstrip() for line in program.splitlines()]
    return ["", ".. code-block:: python", f"    :caption: {_RECIPE.name}", "", *lines, ""]


def _sizes(measured: Mapping[str, Any]) -> list[str]:
    return [f"{int(size):,} hosts" for size in measured["sizes"]]
