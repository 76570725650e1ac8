# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the emulator's package importable and starts emulators for tests, on loopback ports that the system chooses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

FILES = Path(__file__).resolve().parents[3] / "roles" / "azure_imds_emulator" / "files"
if str(FILES) not in sys.path:
    sys.path.insert(0, str(FILES))


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """A function that starts an emulator; its arguments are those of `running_emulator.start`."""
    from ansible_collections.imds.azure.tests.scenarios import running_emulator

    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(running_emulator.start(*args, **kwargs))


@pytest.fixture
def imds(start: Callable[..., Any]) -> Any:
    """An emulator with its one default VM and no limiter."""
    return start()
