# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route fix behind a guest proxy agent, to which an eBPF program redirects connections as on Azure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from . import guest_agent
from .api import Lab
from .errors import RefusedError
from .route_play import Results, everywhere, play, tables
from .route_states import DHCP, STATIC, numbered

CLUSTER = ("address add 169.254.1.156/16 dev eth1",)
# Its MAC address is none that IMDS lists, so only the vmId tells that this VM is meant.
BRIDGE = (
    "link add br0 address 02:00:00:00:00:01 type bridge",
    "link set eth0 master br0",
    "address del 10.77.{n}.4/24 dev eth0",
    "address add 10.77.{n}.4/24 dev br0",
    "link set br0 up",
    "route add default via 10.77.{n}.1 dev br0",
    "route add 169.254.169.254 via 10.77.{n}.1 dev br0",
)
SERVED, REFUSED = "served_by_guest_agent", "refused_by_guest_agent"
# What a program inside the VM sees of its connection to IMDS.
LOOK = """import json, socket
with socket.create_connection(("169.254.169.254", 80), timeout=2) as connection:
    print(json.dumps([connection.getsockname()[0], "%s:%d" % connection.getpeername()]))
"""


class Guarded(NamedTuple):
    """``refuse``: the status with which the agent refuses. ``code``: the headline of a query. ``changed``,
    ``verified``: what `present` returns. ``silent``: IMDS answers nobody, not even the agent; then `present` fails.
    """

    code: str
    changed: bool
    verified: bool
    refuse: int = 0
    broken: bool = False
    bridge: bool = False
    silent: bool = False


VMS = {
    "healthy": Guarded("ok", False, True),
    "bridge": Guarded("ok", False, True, bridge=True),
    "cluster": Guarded("captured_by_apipa", True, True, broken=True),
    "refused": Guarded(REFUSED, False, False, refuse=403),
    "cluster-refused": Guarded("captured_by_apipa", True, False, refuse=421, broken=True),
    "silent": Guarded("silent_although_routed", False, False, silent=True),
    "cluster-silent": Guarded("captured_by_apipa", False, False, broken=True, silent=True),
}


def _vm(name: str, number: int) -> dict[str, Any]:
    vm = VMS[name]
    nic = {**(STATIC if vm.broken or vm.bridge else DHCP), "reaches_imds": not vm.silent}
    variables = {"route_options": {"persistent": False, "verify_retries": 0, "verify_timeout": 5, "read_timeout": 4}}
    commands = [command.split() for command in (CLUSTER if vm.broken else BRIDGE if vm.bridge else ())]
    document = {"name": name, "nics": [nic, {}], "ip": commands, "vars": variables}
    return dict(numbered(document, number))


@pytest.fixture(scope="module")
def fleet(lab: Lab) -> Iterator[Lab]:
    assert lab.place.alive()  # this machine allows labs
    with Lab({"vms": [_vm(name, number) for number, name in enumerate(VMS)]}) as running:
        started = []
        try:
            for name, vm in VMS.items():
                guest_agent.start(running, name, vm.refuse)
                started.append(name)
            yield running
        except RefusedError as error:
            pytest.skip(str(error))
        finally:
            for name in started:
                guest_agent.stop(running, name)


class Seen(NamedTuple):
    before: dict[str, str]
    query: Results
    present: Results
    after: dict[str, str]


@pytest.fixture(scope="module")
def seen(fleet: Lab) -> Seen:
    before = everywhere(fleet, tables)
    done = play(fleet, {"query": {"state": "query"}, "present": {}})
    return Seen(before, done["query"], done["present"], everywhere(fleet, tables))


each_vm = pytest.mark.parametrize("name", VMS)


def test_a_program_is_connected_to_the_agent(fleet: Lab) -> None:
    done = fleet.run("healthy", ["/usr/bin/python3", "-c", LOOK], check=True)
    assert done.stdout.strip() == '["127.0.0.1", "127.0.0.1:3080"]'


@each_vm
def test_query_names_the_agent(seen: Seen, name: str) -> None:
    vm, result = VMS[name], seen.query[name]
    healthy = not (vm.broken or vm.silent or vm.refuse)
    assert not result.get("failed"), result
    findings = {one["code"]: one for one in result["findings"]}
    assert next(iter(findings)) == vm.code, result["findings"]
    assert result["primary"]["rule"] != "asked"
    assert (SERVED in findings) is healthy
    assert (REFUSED in findings) is bool(vm.refuse)
    errors = [code for code, one in findings.items() if one["severity"] == "error"]
    assert bool(errors) is (vm.broken or vm.silent)
    assert result["verified"] is healthy


@each_vm
def test_present_keeps_what_the_agent_confirms_or_leaves_open(seen: Seen, name: str) -> None:
    vm, result = VMS[name], seen.present[name]
    assert bool(result.get("failed")) is vm.silent, result
    assert (result["changed"], result["verified"]) == (vm.changed, vm.verified), result
    assert (seen.after[name] != seen.before[name]) is vm.changed
    if vm.changed:
        assert result["winner"]["interface"] == "eth0"
    if vm.refuse:
        assert "guest proxy agent" in " ".join(result["warnings"])
