# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m ansible_collections.imds.azure.tests.fuzz [--seconds N] [--unguided] [--into DIRECTORY] [TARGET ...]
python -m ansible_collections.imds.azure.tests.fuzz --replay FILE TARGET

Fuzzes all targets, or those that are named, one after the other, for N seconds each, and prints what was counted.
DIRECTORY keeps the corpora and counts.json from one time to the next, and gets the logs and the findings. --replay
gives one input to one target and does nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from .campaign import Count, fuzz, is_guided
from .table import TARGETS


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="fuzz", usage=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--unguided", action="store_true")
    parser.add_argument("--into", type=Path, default=Path("fuzz"), metavar="DIRECTORY")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"{unknown[0]} is not a target; there are {', '.join(TARGETS)}")
    if options.replay:
        for name in options.targets:
            TARGETS[name].run(options.replay.read_bytes())
        return 0
    options.into.mkdir(parents=True, exist_ok=True)
    guided = is_guided() and not options.unguided
    print(f"{'Target':22}{'Executions':>12}{'Corpus':>8}{'Coverage':>10}  Finding", flush=True)
    counts = {}
    for name in options.targets or TARGETS:
        counts[name] = count = fuzz(TARGETS[name], options.into, options.seconds, guided)
        _keep(options.into / "counts.json", counts)
        coverage = "-" if count.coverage is None else str(count.coverage)
        print(f"{name:22}{count.executions:12}{count.inputs:8}{coverage:>10}  {count.finding or '-'}", flush=True)
    found = [name for name, count in counts.items() if count.finding]
    if found:
        print(f"The inputs are in {options.into / 'findings'}, the logs beside it: {', '.join(found)}")
    return 1 if found else 0


def _keep(file: Path, counts: Mapping[str, Count]) -> None:
    """Write the counts, and leave those of other targets."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    kept.update((name, count._asdict()) for name, count in counts.items())
    text = json.dumps({name: kept[name] for name in TARGETS if name in kept}, indent=2)
    file.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
