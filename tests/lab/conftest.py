# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .api import Lab
from .errors import RefusedError
from .topologies import TOPOLOGY


@pytest.fixture(scope="session")
def _labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for all labs of these tests, apart from those that a developer keeps."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("labs")
        patch.setenv("LAB_DIR", str(path))
        yield path


@pytest.fixture
def lab_dir(_labs: Path) -> Path:
    """$LAB_DIR of these tests."""
    return _labs


@pytest.fixture(scope="session")
def lab(_labs: Path) -> Iterator[Lab]:
    """The lab of `TOPOLOGY`. Skips where the machine allows none."""
    try:
        with Lab(TOPOLOGY) as running:
            yield running
    except RefusedError as error:
        pytest.skip(str(error))
