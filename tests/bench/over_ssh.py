# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A VM of the lab behind a real sshd, under as many names as there are to be hosts."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.imds.azure.tests.lab import sshd
from ansible_collections.imds.azure.tests.lab.api import Lab
from ansible_collections.imds.azure.tests.lab.errors import LabError
from ansible_collections.imds.azure.tests.lab.fabric import CONTROL

NAME = "over-ssh"
# The distribution's, as on real hosts: one that a Python manager has built is often not optimized.
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
TOPOLOGY: dict[str, Any] = {"vms": [{"name": NAME, "sshd": True, "options": {"limiter": False}, "python": PYTHON}]}
FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())"


class Hosts(NamedTuple):
    """Inventories of one host and of several, and the options with which an attest task trusts the emulator."""

    one: Path
    several: Path
    trust: dict[str, Any]


def missing() -> str | None:
    """Why it can't be measured here, or None."""
    reason = sshd.missing()
    if reason:
        return reason
    try:
        with Lab(TOPOLOGY):
            return None
    except LabError as error:
        return str(error).strip() or type(error).__name__


@contextmanager
def hosts(number: int) -> Iterator[Hosts]:
    """The VM as one host, and as several, to each of which Ansible has a connection of its own."""
    with Lab(TOPOLOGY) as lab:
        folder = lab.place.path
        inventory = json.loads(lab.place.inventory.read_text(encoding="utf-8"))
        variables = inventory["all"]["children"]["lab"]["hosts"][NAME]
        # Connections outlive a play; another lab's VM has the same name.
        variables["ansible_control_path_dir"] = str(folder / "cp")
        alias = f"{variables['ansible_ssh_common_args']} -o HostKeyAlias={NAME}"
        several = {
            f"host{each}": {**variables, "ansible_host": f"host{each}", "ansible_ssh_common_args": alias}
            for each in range(number)
        }
        for name, members in (("one", {NAME: variables}), ("several", several)):
            (folder / f"{name}.json").write_text(json.dumps({"all": {"hosts": members}}), encoding="utf-8")
        trust: dict[str, Any] = {"builtin_anchors": False, "fetch_intermediates": "never"}
        for option, name in (("anchors", "root"), ("intermediates", "intermediate")):
            url = "http://{}:{}/ca/{}.pem".format(*CONTROL, name)
            certificate = lab.run("fabric", [sys.executable, "-c", FETCH, url], check=True).stdout
            trust[option] = str(folder / f"{name}.pem")
            Path(trust[option]).write_text(certificate, encoding="ascii")
        yield Hosts(folder / "one.json", folder / "several.json", trust)
