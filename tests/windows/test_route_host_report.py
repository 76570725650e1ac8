# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the route fix collects on a Windows host, and where it refuses to go on."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.tests.scenarios.windows_reports import (
    CLUSTER,
    REFUSALS,
    REPAIRS,
)
from ansible_collections.imds.azure.tests.windows.core import encoded
from ansible_collections.imds.azure.tests.windows.firmware import enclosure, system, table
from ansible_collections.imds.azure.tests.windows.windows_host import AZURE, CmdletError
from ansible_collections.imds.azure.tests.windows.windows_site import BOTH_STORES, Site


# No cmdlet that is used tells the number of compartments.
@pytest.mark.parametrize("name", [name for name in REFUSALS if name != "compartments"])
def test_refusals_change_nothing(site: Site, name: str) -> None:
    given, options, code = REFUSALS[name]
    tag = "no Azure" if given.get("azure") is False else AZURE
    site.build(given)
    site.firmware = encoded(table(system(bytes(16)), enclosure(tag.encode())))
    site.host.imds = "silent"
    before = site.host.stores()
    done = site.repair(options)
    assert done["failed"]
    assert done["msg"].startswith("Nothing was changed. ")
    assert code in [one["code"] for one in done["findings"]]
    assert site.host.stores() == before
    assert not site.host.changes()


def test_nothing_is_sent_off_azure(site: Site) -> None:
    site.firmware = encoded(table(system(bytes(16)), enclosure(b"elsewhere")))
    assert site.task(state="query")["verified"] is None
    assert site.task()["failed"]
    assert not site.host.requests
    assert site.task(force=True)["verified"]


def test_firmware_that_cannot_be_read_is_asked_of_cim(site: Site) -> None:
    site.firmware = None
    assert site.task(check_mode=True)["verified"] is False
    site.build(CLUSTER, tag="elsewhere")
    assert "not_azure" in [one["code"] for one in site.task()["findings"]]
    site.build(CLUSTER)
    site.host.missing.add("Win32_SystemEnclosure")
    assert site.task()["verified"]


PARTS = (
    "Get-NetAdapter",
    "Get-NetIPInterface",
    "Find-NetRoute",
    "Get-Service",
    "PersistentRoutes",
    "Win32_OperatingSystem",
    "Win32_IP4PersistedRouteTable",
    "IsElevated",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_no_failed_run(site: Site, part: str) -> None:
    site.host.missing.add(part)
    collected = site.module({"request": {"mode": "collect"}}, check_mode=False)["report"]
    (said,) = [line for line in collected["errors"] if "is not recognized" in line]
    assert part in said
    site.build(CLUSTER)
    site.host.missing.add(part)
    done = site.task()
    assert not done.get("failed"), done["msg"]
    assert said in done["errors"]
    assert site.host.host_routes() == BOTH_STORES


@pytest.mark.parametrize("part", ["Get-NetRoute", "Get-NetIPAddress"])
def test_a_host_without_nettcpip_is_refused(site: Site, part: str) -> None:
    site.host.missing.add(part)
    done = site.task()
    assert done["failed"]
    assert "Windows Server 2012 or newer is needed" in done["msg"]
    assert not site.host.changes()


@pytest.mark.parametrize(
    "denied",
    [
        CmdletError("Windows System Error 5,New-NetRoute", "PermissionDenied", "Zugriff verweigert"),
        CmdletError("Windows System Error 5,New-NetRoute", "NotSpecified", "Zugriff verweigert"),
        CmdletError("AccessDenied,New-NetRoute", "PermissionDenied", "Zugriff verweigert"),
    ],
)
@pytest.mark.parametrize("name", ["failover_cluster", "static_on_wrong_nic", "active_only_on_static_nic"])
def test_unknown_elevation_is_tried_and_denied(site: Site, name: str, denied: CmdletError) -> None:
    given, options, _codes, _rows = REPAIRS[name]
    site.build(given, elevated=None)
    before = site.host.stores()
    site.host.failing, site.host.failures, site.host.failure = 0, 99, denied
    done = site.repair(options)
    assert done["failed"]
    assert "Zugriff verweigert Administrator's rights are needed." in done["msg"]
    assert (done["changed"], done["rolled_back"]) == (False, True)
    assert site.host.stores() == before
    assert len(site.host.changes()) == 1
    assert not list(site.journal.iterdir())
