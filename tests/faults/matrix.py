# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation with every fault: the code that it ends with, and when."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from .faults import FAULTS, Fault
from .operations import OPERATIONS, Operation
from .stage import Stage, open_stage


class Cell(NamedTuple):
    """code: of a reason or, for route query, of a finding; seconds it took, and was allowed to take."""

    code: str
    seconds: float
    deadline: float


def fill(stage: Stage, name: str, run: Callable[[Stage], str] | None = None) -> dict[str, Cell]:
    """One operation with every fault, by the fault's name.

    :param run: instead of the operation's own
    """
    operation = OPERATIONS[name]
    return {title: _cell(stage, operation, fault, run or operation.run) for title, fault in FAULTS.items()}


def _cell(stage: Stage, operation: Operation, fault: Fault, run: Callable[[Stage], str]) -> Cell:
    with stage.meet(fault, operation.concerns):
        began = stage.now
        code = run(stage)
        seconds = round(stage.now - began, 3)  # without the last bits
    updating = fault.emulated is not None and fault.emulated.get("status") == 410
    return Cell(code, seconds, operation.updating if updating else operation.deadline)


@functools.cache
def in_python() -> Mapping[str, Mapping[str, Cell]]:
    """Operation -> fault -> cell, by the Python core; worked out once."""
    with tempfile.TemporaryDirectory() as directory, open_stage(Path(directory)) as stage:
        return {name: fill(stage, name) for name in OPERATIONS}
