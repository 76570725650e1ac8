# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The lines between the marks are shown in the scaling guide.
# <recipe>
"""python gather_in_slices.py INVENTORY SLICES: gather the facts of a fleet in slices that run side by side."""

import sys
import threading
from pathlib import Path

import ansible_runner


def start(number: int, inventory: str, hosts: str) -> tuple[threading.Thread, ansible_runner.Runner]:
    folder = Path(f"slice-{number}").absolute()
    folder.mkdir(exist_ok=True)
    thread, runner = ansible_runner.run_async(
        private_data_dir=str(folder),
        inventory=inventory,
        playbook="imds.azure.gather",
        limit=hosts,
        fact_cache_type="redis",  # anything but jsonfile, with which ansible-runner overrides ansible.cfg
        envvars={"ANSIBLE_CONFIG": str(Path("ansible.cfg").absolute())},
        rotate_artifacts=10,
        quiet=True,
    )
    return thread, runner


def main(inventory: str, slices: int) -> int:
    listed, errors = ansible_runner.get_inventory("list", [inventory], response_format="json", quiet=True)
    number_of_hosts = len({host for group in (listed or {}).values() for host in group.get("hosts", ())})
    if not number_of_hosts:
        sys.exit(f"{inventory} has no hosts. {errors}")
    size = -(-number_of_hosts // slices)
    started = [
        start(number, inventory, f"all[{first}:{first + size - 1}]")
        for number, first in enumerate(range(0, number_of_hosts, size), 1)
    ]
    for thread, runner in started:
        thread.join()
        print(f"{runner.config.private_data_dir}: {runner.status}")
    return int(any(runner.rc for _thread, runner in started))


if __name__ == "__main__":
    sys.exit(main(str(Path(sys.argv[1]).absolute()), int(sys.argv[2])))
# </recipe>
