# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""make bench-peers: python -m ansible_collections.imds.azure.tests.peers BUILD PAGE [--rounds N] [--only WORD]

Measures other tools that read cloud metadata beside ours, and writes the tables of the guide PAGE. Tools are installed
below BUILD, and the results kept there, from which --render writes the tables once more.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import sys
from pathlib import Path

from ansible_collections.imds.azure.tests.lab.errors import LabError
from ansible_collections.imds.azure.tests.tools.generate.regions import rewrite

from . import machine, measuring, table
from .results import Results, from_json, to_json
from .tools import TOOLS


def main() -> int:
    """Exit code."""
    parser = argparse.ArgumentParser(prog="tests.peers", description="Measure other tools beside ours.")
    parser.add_argument("build", type=Path, help="directory for what is installed, and for the results")
    parser.add_argument("page", type=Path, help="guide that gets the tables")
    parser.add_argument("--rounds", type=int, default=7, help="runs of which the medians are taken (%(default)s)")
    parser.add_argument("--only", metavar="WORD", help="tools with this in their name; prints the tables")
    parser.add_argument("--render", action="store_true", help="measure nothing: take the results of the last run")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that the lab ends with this
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    kept = options.build.resolve() / "results.json"
    try:
        results = from_json(json.loads(kept.read_text(encoding="utf-8"))) if options.render else _measure(options)
    except LabError as error:
        print(f"tests.peers: {error}", file=sys.stderr)
        return error.exit_code
    regions = table.regions(results)
    if options.only:
        print(*(line for make in regions.values() for line in make()), sep="\n")
        return 0
    kept.write_text(json.dumps(to_json(results), indent=1) + "\n", encoding="utf-8")
    options.page.write_text(rewrite(options.page.read_text(encoding="utf-8"), regions), encoding="utf-8")
    print(f"written: {options.page}")
    return 0


def _measure(options: argparse.Namespace) -> Results:
    options.build.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    chosen = [tool for tool in TOOLS if not options.only or options.only.lower() in tool.name.lower()]
    rows = measuring.rows(chosen, options.build.resolve(), options.rounds, lambda text: print(text, flush=True))
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return Results(str(today), machine.describe(), round(load, 2), options.rounds, tuple(rows))


if __name__ == "__main__":
    sys.exit(main())
