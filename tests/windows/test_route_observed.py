# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the route fix on Windows makes of what it observes: who is answered, by whom, and who is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    DHCP_DEFAULT,
    DHCP_HOST,
    DHCP_VM,
    ON_SECOND,
    STATIC_DEFAULT,
    TWO_NICS,
    WANTED,
    report,
)
from ansible_collections.imds.azure.tests.windows.windows_site import BOTH_STORES, Site

OVER_SECOND = {**STATIC_DEFAULT, "InterfaceIndex": 7, "NextHop": "10.0.2.1"}
LINK_LOCAL = {**WANTED, "DestinationPrefix": "169.254.0.0/16", "RouteMetric": 256}


def codes(done: Any) -> list[str]:
    return [one["code"] for one in done["findings"]]


def test_a_default_route_over_the_other_nic(site: Site) -> None:
    """The primary NIC has a covering route of its own, so its request is answered."""
    site.build(report([OVER_SECOND, LINK_LOCAL], **TWO_NICS))
    site.host.primary, site.host.index = "10.0.1.10", 5
    done = site.task()
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["primary"]["ip"]) == (True, "10.0.1.10")
    assert site.host.host_routes() == BOTH_STORES


def test_nobody_is_answered_so_the_candidates_are_tried_in_turn(site: Site) -> None:
    """Only the back-end NIC has a gateway, and a bound socket of the primary one has no route at all."""
    site.build(report([OVER_SECOND], **TWO_NICS))
    before = site.host.stores()
    foretold = site.task(check_mode=True)
    assert site.host.stores() == before
    assert [one["ip"] for one in foretold["candidates"]] == ["10.0.2.10", "10.0.1.10"]
    done = site.task()
    assert not done.get("failed"), done["msg"]
    assert (done["verified"], done["primary"]["interface"]) == (True, "Ethernet")
    assert site.host.host_routes() == BOTH_STORES
    assert site.task()["changed"] is False


def test_where_no_candidate_is_proven_all_is_as_it_was(site: Site) -> None:
    site.build(report([OVER_SECOND], **TWO_NICS))
    site.host.imds = "silent"
    before = site.host.stores()
    done = site.task()
    assert (done["failed"], done["changed"]) == (True, False)
    assert "10.0.1.10" in done["msg"]
    assert "10.0.2.10" in done["msg"]
    assert site.host.stores() == before
    assert not list(site.journal.iterdir())


def test_the_order_of_imds_interfaces_means_nothing(site: Site) -> None:
    """The model lists the other NIC first."""
    site.build(report([DHCP_DEFAULT, DHCP_HOST], **TWO_NICS))
    done = site.task(state="query")
    assert (codes(done), done["primary"]["ip"], done["primary"]["rule"]) == (["ok"], "10.0.1.10", "asked")


def test_a_route_on_the_wrong_nic_is_seen_by_asking(site: Site) -> None:
    site.build(report([DHCP_DEFAULT, ON_SECOND], [ON_SECOND], **TWO_NICS))
    done = site.task(state="query")
    assert (done["primary"]["ip"], done["primary"]["rule"]) == ("10.0.1.10", "asked")
    assert site.task()["verified"]


@pytest.mark.parametrize("fail_on_findings", [False, True])
def test_a_right_table_and_a_silent_imds_is_an_error(site: Site, fail_on_findings: bool) -> None:
    site.build(DHCP_VM)
    site.host.imds = "silent"
    done = site.task(state="query", fail_on_findings=fail_on_findings)
    assert "silent_although_routed" in codes(done)
    assert bool(done.get("failed")) == fail_on_findings


def test_a_local_firewall_is_named(site: Site) -> None:
    site.build(DHCP_VM)
    site.host.imds = "blocked"
    done = site.task(state="query")
    assert "Get-NetFirewallRule" in " ".join(one["remedy"] for one in done["findings"])


# --- the guest proxy agent of the Metadata Security Protocol ----------------------------------------------------------


def test_a_healthy_host_behind_the_agent(site: Site) -> None:
    site.build(DHCP_VM)
    site.host.imds = "agent"
    done = site.task()
    assert "served_by_guest_agent" in codes(done)
    assert (done.get("failed"), done["changed"], done["verified"]) == (None, False, True)
    assert done["primary"]["rule"] != "asked"


def test_a_repair_behind_the_agent_is_kept(site: Site) -> None:
    site.host.imds = "agent"
    done = site.task()
    assert (done.get("failed"), done["changed"], done["verified"]) == (None, True, True)
    assert site.host.host_routes() == BOTH_STORES


def test_where_the_agent_refuses_the_repair_stays_unproven(site: Site) -> None:
    site.host.imds = "agent_refuses"
    done = site.task()
    assert (done.get("failed"), done["changed"], done["verified"]) == (None, True, False)
    assert any("agent" in warning for warning in done["warnings"])
    assert site.host.host_routes() == BOTH_STORES
    assert not list(site.journal.iterdir())
