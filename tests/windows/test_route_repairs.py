# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route fix on Windows repairs what is wrong, proves it, and changes nothing else."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.action import azure_imds_route_fix as action
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER_ROUTE,
    DHCP_DEFAULT,
    DHCP_HOST,
    DHCP_VM,
    GHOST,
    IMDS,
    LOOPBACK_TWIN,
    LOW_VIP,
    OFF_SUBNET,
    ON_SECOND,
    REPAIRS,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.core import encoded
from ansible_collections.imds.azure.tests.windows.firmware import enclosure, system, table
from ansible_collections.imds.azure.tests.windows.windows_host import AZURE
from ansible_collections.imds.azure.tests.windows.windows_site import BOTH_STORES, Site


def test_the_failover_cluster(site: Site) -> None:
    """The documentation's own table: one route is added, nothing else is touched, and a second run changes nothing."""
    before = site.host.stores()
    foretold = site.task(check_mode=True)
    assert site.host.stores() == before
    assert not site.host.changes()
    assert [one["code"] for one in foretold["findings"]] == ["captured_by_cluster_adapter"]
    assert (foretold["changed"], foretold["predicted_winner"]["index"]) == (True, 5)
    done = site.task()
    assert not done.get("failed"), done
    assert (done["changed"], done["verified"], done["source"]) == (True, True, "10.0.1.10")
    assert done["winner"] == foretold["predicted_winner"]
    assert site.host.host_routes() == BOTH_STORES
    (change,) = site.host.changes()
    assert change == (
        "New-NetRoute",
        {"DestinationPrefix": IMDS, "InterfaceIndex": 5, "NextHop": "0.0.0.0", "RouteMetric": 1, "PolicyStore": ""},
    )
    assert set(before) <= set(site.host.stores())
    asked = len(site.host.requests)
    again = site.task()
    assert (again["changed"], again["plan"], again["verified"]) == (False, [], True)
    assert len(site.host.requests) == asked + 1
    assert len(site.host.changes()) == 1


def test_the_twin_called_by_its_own_name(site: Site) -> None:
    assert site.task(called=f"{action.MODULE}_windows")["verified"]


def test_a_healthy_vm_by_dhcp(site: Site) -> None:
    site.build(DHCP_VM)
    done = site.task()
    assert [one["code"] for one in done["findings"]] == ["ok"]
    assert (done["changed"], done["verified"], done["primary"]["rule"]) == (False, True, "asked")
    assert not site.host.changes()
    assert done["errors"] == []  # no cluster service is a plain answer


@pytest.mark.parametrize("name", REPAIRS)
def test_repairs(site: Site, name: str) -> None:
    given, options, _codes, rows = REPAIRS[name]
    site.build(given)
    before = site.host.stores()
    query = site.repair(options._replace(state="query"))
    assert (query["changed"], bool(query.get("failed"))) == (False, False)
    foretold = site.repair(options, check_mode=True)
    assert site.host.stores() == before
    done = site.repair(options)
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["rolled_back"], done["changed"]) == (True, False, True)
    assert done["winner"] == foretold["predicted_winner"]
    assert [row[:3] for row in site.host.host_routes()] == rows
    assert site.host.way()[1] == "10.0.1.10"
    again = site.repair(options)
    assert (again["changed"], again["plan"]) == (False, [])
    for _cmdlet, parameters in site.host.changes():
        assert parameters["InterfaceIndex"] not in (9, 12)
        assert parameters.get("DestinationPrefix", IMDS) == IMDS
        assert parameters.get("IPAddress") not in ("10.0.1.15", "169.254.1.156")


@pytest.mark.parametrize("name", REPAIRS)
def test_throttling_is_an_answer(site: Site, name: str) -> None:
    given, options, _codes, rows = REPAIRS[name]
    site.build(given)
    site.host.imds = "throttled"
    done = site.repair(options)
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["proof"]["outcome"]) == (True, "busy")
    assert [row[:3] for row in site.host.host_routes()] == rows


def test_what_is_not_imds_is_no_proof(site: Site) -> None:
    site.host.imds = "foreign"
    done = site.task()
    assert (done["failed"], done["rolled_back"], done["proof"]["outcome"]) == (True, True, "foreign")
    assert "HTTP 302" in done["msg"]


def test_another_machines_metadata_is_no_proof(site: Site) -> None:
    """The MAC address is not ours, and neither is the vmId."""
    site.host.imds = "another"
    site.firmware = encoded(table(system(bytes(range(16))), enclosure(AZURE.encode())))
    done = site.task()
    assert (done["failed"], done["rolled_back"], done["proof"]["outcome"]) == (True, True, "ok")
    assert "does not know the NIC" in done["msg"]


def test_another_mac_address_is_no_fault_where_the_vm_is_ours(site: Site) -> None:
    site.host.imds = "another"
    uuid = bytes(range(16))
    site.firmware = encoded(table(system(uuid), enclosure(AZURE.encode())))
    site.host.vm_id = "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert site.task()["verified"]
    # The same is found while the host is only looked at.
    site.host.requests.clear()
    asked = site.task(state="query")
    assert asked["verified"]
    assert len(site.host.requests) == 2


def test_absent(site: Site) -> None:
    site.task()
    done = site.task(state="absent")
    assert (done["changed"], site.host.host_routes()) == (True, [])
    assert not site.task(state="absent")["changed"]


def test_orphans_wait_for_the_proof(site: Site) -> None:
    """They could not be put back: New-NetRoute refuses an interface that is gone."""
    site.build(report([STATIC_DEFAULT], [GHOST]))
    site.task()
    names = [name for name, _parameters in site.host.changes()]
    asked = len(site.host.requests)
    assert names == ["New-NetRoute", "Remove-NetRoute"]
    assert asked == 2


def test_a_pair_that_is_spelled_in_two_ways_waits_for_the_proof(site: Site) -> None:
    """On-link in use, by an own address in store: New-NetRoute would write both alike."""
    other = {**ON_SECOND, "RouteMetric": 30}
    pair = [{**other, "NextHop": "0.0.0.0"}], [{**other, "NextHop": "10.0.2.10"}]
    site.build(report([STATIC_DEFAULT, *pair[0]], pair[1], **TWO_NICS))
    before = site.host.stores()
    site.host.imds = "silent"
    done = site.task()
    assert (done["failed"], done["changed"]) == (True, False)
    assert {parameters["InterfaceIndex"] for _name, parameters in site.host.changes()} == {5}
    assert site.host.stores() == before
    site.host.imds = "answers"
    assert site.task()["verified"]
    assert site.host.host_routes() == BOTH_STORES


def test_a_loopback_trap_goes_with_its_stored_twin(site: Site) -> None:
    site.build(report([STATIC_DEFAULT, CLUSTER_ROUTE, *LOOPBACK_TWIN], OFF_SUBNET))
    done = site.task()
    assert done["verified"]
    assert [step["phase"] for step in done["plan"]] == ["repair", "cleanup"]  # one step for both
    assert site.host.host_routes() == BOTH_STORES


def test_what_registry_and_wmi_keep_is_compared(site: Site) -> None:
    site.build(report([STATIC_DEFAULT, WANTED], [WANTED]), registry=["169.254.169.254,255.255.255.255,10.9.9.9,1"])
    assert "leftover_registry_route" in [one["code"] for one in site.task(state="query")["findings"]]


def test_a_dhcp_route_in_place_and_two_nics(site: Site) -> None:
    site.build(report([DHCP_DEFAULT, DHCP_HOST], **TWO_NICS))
    done = site.task()
    assert (done["verified"], done["primary"]["interface"]) == (True, "Ethernet")


def test_a_vip_below_the_primary_address_is_named_and_left_alone(site: Site) -> None:
    site.build(LOW_VIP)
    done = site.task(primary_ip="10.0.1.10", fix_source=True)
    assert done["failed"]
    assert "cluster" in next(one for one in done["findings"] if one["code"] == "wrong_source_address")["remedy"]
    assert not site.host.changes()
