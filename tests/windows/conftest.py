# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""For all tests here: the C# core, the emulator's package, and the guard that keeps Python on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.scenarios.examples import PROFILE
from ansible_collections.imds.azure.tests.scenarios.loopback_guard import _loopback_only
from ansible_collections.imds.azure.tests.scenarios.windows_reports import CLUSTER
from ansible_collections.imds.azure.tests.windows.core import Core, compile_harness, missing
from ansible_collections.imds.azure.tests.windows.windows_site import Site

# A fixture that applies itself to every test, and a profile that did so when it was imported.
__all__ = ["PROFILE", "_loopback_only"]

FILES = Path(__file__).resolve().parents[2] / "roles" / "azure_imds_emulator" / "files"
if str(FILES) not in sys.path:
    sys.path.insert(0, str(FILES))


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled harness."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    return compile_harness(tmp_path_factory.mktemp("mono"))


@pytest.fixture(scope="session")
def core(program: Path) -> Iterator[Core]:
    """The C# core."""
    with Core(program) as process:
        yield process


@pytest.fixture
def site(core: Core, tmp_path: Path) -> Site:
    """A controller and a node of a failover cluster."""
    made = Site(core, tmp_path / "imds.azure")
    made.build(CLUSTER)
    return made
