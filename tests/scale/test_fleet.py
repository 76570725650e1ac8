# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small fleet in one play, as `make bench-scale` plays a large one."""

from __future__ import annotations

import pytest

from . import network

HOSTS = 8


def test_each_host_is_its_own_vm_and_proves_it() -> None:
    reason = network.missing()
    if reason:
        pytest.skip(reason)
    assert network.run_isolated("ansible_collections.imds.azure.tests.scale.check", [str(HOSTS)]) == 0
