# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented paths of IMDS, which are all that may be asked for. Pure."""

from __future__ import annotations

import re

from . import versions
from .options import OptionError


class Path:
    """A documented path of IMDS.

    since: first API version that has it, empty where the path has no versions; root: every VM has it; leaf: it is known
    to be a single value.
    """

    def __init__(self, path: str, since: str, root: bool, leaf: bool = False) -> None:
        self.path = path
        self.since = since
        self.root = root
        self.leaf = leaf


INSTANCE = Path("instance", "2017-04-02", True)
ATTESTED = Path("attested/document", versions.ATTESTED_SINCE, True)
LOAD_BALANCER = Path("loadbalancer", versions.LOAD_BALANCER_SINCE, False)
VERSIONS = Path("versions", "", True)

_ROOTS = {root.path: root for root in (INSTANCE, ATTESTED, LOAD_BALANCER, VERSIONS)}


# Single values that are not facts of their own. A star stands for any index.
LEAVES = (
    "compute.publicKeys.*.keyData",
    "compute.publicKeys.*.path",
    "compute.storageProfile.dataDisks.*.diskSizeGB",
    "compute.storageProfile.dataDisks.*.lun",
    "compute.storageProfile.dataDisks.*.managedDisk.id",
    "compute.storageProfile.dataDisks.*.name",
    "compute.storageProfile.imageReference.exactVersion",
    "compute.storageProfile.imageReference.offer",
    "compute.storageProfile.imageReference.publisher",
    "compute.storageProfile.imageReference.sku",
    "compute.storageProfile.imageReference.version",
    "compute.storageProfile.osDisk.diskSizeGB",
    "compute.storageProfile.osDisk.managedDisk.id",
    "compute.storageProfile.osDisk.name",
    "compute.storageProfile.resourceDisk.size",
    "compute.tags",
    "compute.tagsList.*.name",
    "compute.tagsList.*.value",
    "network.interface.*.ipv4.ipAddress.*.privateIpAddress",
    "network.interface.*.ipv4.ipAddress.*.publicIpAddress",
    "network.interface.*.ipv4.subnet.*.address",
    "network.interface.*.ipv4.subnet.*.prefix",
    "network.interface.*.ipv6.ipAddress.*.privateIpAddress",
    "network.interface.*.macAddress",
)
# The kinds of facts (fields.py) that come from a single value.
SCALAR_KINDS = ("blob", "boolean", "endpoints", "environment", "integer", "location", "string")


def leaves() -> set[str]:
    """All single values that are documented, in dotted paths below instance."""
    # Not at the top: only azure_imds_info asks for parts, and what is loaded is compiled on every run.
    from .fields import FIELDS

    return {field.source for field in FIELDS if field.kind in SCALAR_KINDS}.union(LEAVES)


def _is_leaf(parts: list[str]) -> bool:
    return ".".join("*" if part.isdecimal() else part for part in parts) in leaves()


def path(text: str) -> Path:
    """Check a path below /metadata, such as instance/compute/tagsList/0.

    :raises OptionError: for anything but a documented root, or keys and indexes below instance
    """
    parts = text.strip("/").split("/")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", part):
            raise OptionError(
                "path",
                f"{text!r} may only contain keys and indexes between slashes, such as instance/network/interface/0",
            )
    if parts[0].lower() == "identity":
        raise OptionError("path", "the identity endpoints hand out secrets, which this module never reads")
    whole = "/".join(parts)
    if whole in _ROOTS:
        return _ROOTS[whole]
    if parts[0] == INSTANCE.path:
        return Path(whole, INSTANCE.since, False, _is_leaf(parts[1:]))
    raise OptionError("path", f"{text!r} is not one of {', '.join(_ROOTS)}, nor a path below instance")
