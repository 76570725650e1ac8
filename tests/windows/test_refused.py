# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refusal that comes late, as Windows reports it: the reason is still that the connection was refused."""

from __future__ import annotations

import time

import pytest
from ansible_collections.imds.azure.tests.scenarios.busy_port import busy_port, later
from ansible_collections.imds.azure.tests.windows.core import Core
from ansible_collections.imds.azure.tests.windows.csharp_get import csharp_get


@pytest.mark.parametrize("limit", [0.3, 2.0])
def test_a_refusal_after_the_limit_is_a_refusal(core: Core, limit: float) -> None:
    with busy_port() as (address, port):  # noqa: SIM117
        with later(limit + 0.1, port, accept=False):
            started = time.monotonic()
            found = csharp_get(core, address, (limit, 10, 30))
            assert time.monotonic() - started > limit
    assert found["kind"] == "refused"


def test_a_connection_after_the_limit_is_too_late(core: Core) -> None:
    with busy_port() as (address, port):  # noqa: SIM117
        with later(0.4, port, accept=True):
            found = csharp_get(core, address, (0.3, 10, 30))
    assert (found["kind"], found["detail"]) == ("connect_timeout", "no connection within 0.3 s")


def test_no_refusal_is_awaited_beyond_the_deadline(core: Core) -> None:
    with busy_port() as (address, _port):
        started = time.monotonic()
        found = csharp_get(core, address, (0.3, 10, 0.6))
        elapsed = time.monotonic() - started
    assert found["kind"] == "connect_timeout"
    assert 0.5 < elapsed < 2
