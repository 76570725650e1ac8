# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out one plain operation on Linux. Repeating one, or undoing one that was never done, is no error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import persistence
from .host import Host, HostError

# What the kernel says where the table already is as the operation wants it.
_DONE_ALREADY = {"delete": "No such process", "append": "File exists", "prepend": "File exists", "replace": ""}


def operate(host: Host, backend: str, operation: Mapping[str, Any]) -> None:
    """Carry out an operation of `steps.linux_op`.

    :param backend: name of the network stack that keeps the route
    :raises HostError: where it fails
    """
    action = operation["action"]
    if action == "persist":
        persistence.write(host, backend, operation["route"])
    elif action == "unpersist":
        persistence.remove(host, backend, operation.get("route"))
    elif action in _DONE_ALREADY:
        argv = ["ip", *operation["arguments"]]
        rc, out, err = host.run(argv)
        fine = _DONE_ALREADY[action]
        if rc and not (fine and fine in err):
            raise HostError(f"{' '.join(argv)}: {err.strip() or out.strip() or f'exit code {rc}'}")
    else:
        raise HostError(f"no such operation on Linux: {action}")
