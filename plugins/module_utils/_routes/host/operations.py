# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out one plain operation on Linux. Repeating one, or undoing one that was never done, is no error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import persistence
from .host import DeviceGoneError, Host, HostError

# What the kernel says where the table already is as the operation wants it.
_DONE_ALREADY = {"delete": "No such process", "append": "File exists", "prepend": "File exists", "replace": ""}

# How iproute2 and busybox say that an interface does not exist.
_NO_DEVICE = ("Cannot find device", "can't find device", "No such device")


def operate(host: Host, backend: str, operation: Mapping[str, Any]) -> None:
    """Carry out an operation of `steps.linux_op`.

    :param backend: name of the network stack that keeps the route
    :raises HostError: where it fails
    """
    try:
        _operate(host, backend, operation)
    except OSError as error:  # shutil's own as well: a dangling link, a full disk, a read-only file system
        raise HostError(f"{operation['action']}: {error}") from error


def _operate(host: Host, backend: str, operation: Mapping[str, Any]) -> None:
    action = operation["action"]
    if action in ("persist", "unpersist"):
        _require_device(host, operation.get("route"))
    if action == "persist":
        persistence.write(host, backend, operation["route"])
    elif action == "unpersist":
        persistence.remove(host, backend, operation.get("route"))
    elif action in _DONE_ALREADY:
        argv = ["ip", *operation["arguments"]]
        rc, out, err = host.run(argv)
        fine = _DONE_ALREADY[action]
        if rc and not (fine and fine in err):
            said = f"{' '.join(argv)}: {err.strip() or out.strip() or f'exit code {rc}'}"
            raise DeviceGoneError(said) if any(words in err for words in _NO_DEVICE) else HostError(said)
    else:
        raise HostError(f"no such operation on Linux: {action}")


def _require_device(host: Host, route: Any) -> None:
    """A persistent form is kept by whatever configures the interface, which has to exist for that."""
    name = str((route or {}).get("dev") or "")
    if name and host.exists("/sys/class/net") and not host.exists(f"/sys/class/net/{name}"):
        raise DeviceGoneError(f"there is no interface {name} any more")
