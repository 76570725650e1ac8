# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gathers and attests so many VMs in one play, and says what is wrong with their answers.

python -m tests.scale.check HOSTS, by network.run_isolated
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from . import fleet, network, plays


def main() -> None:
    vms = fleet.vms(int(sys.argv[1]))
    network.add_addresses(vm.address for vm in vms)
    with tempfile.TemporaryDirectory() as scratch, network.emulators(vms, Path(scratch)) as emulators:
        plays.play(vms, emulators, Path(scratch))
        requests = emulators.requests()
    if requests != 2 * len(vms):
        raise SystemExit(f"{requests} requests for {len(vms)} VMs")


if __name__ == "__main__":
    main()
