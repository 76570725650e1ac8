# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be asked for: the documented paths of IMDS. Pure."""

from __future__ import annotations

import re

from . import versions
from .options import OptionError


class Path:
    """A documented path of IMDS.

    since: first API version that has it, empty where the path has no versions; root: every VM has it.
    """

    def __init__(self, path: str, since: str, root: bool) -> None:
        self.path = path
        self.since = since
        self.root = root


INSTANCE = Path("instance", "2017-04-02", True)
ATTESTED = Path("attested/document", versions.ATTESTED_SINCE, True)
LOAD_BALANCER = Path("loadbalancer", versions.LOAD_BALANCER_SINCE, False)
VERSIONS = Path("versions", "", True)

_ROOTS = {root.path: root for root in (INSTANCE, ATTESTED, LOAD_BALANCER, VERSIONS)}


def path(text: str) -> Path:
    """Check a path below /metadata, such as instance/compute/tagsList/0.

    :raises OptionError: for anything but a documented root, or keys and indexes below instance
    """
    parts = text.strip("/").split("/")
    for part in parts:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", part):
            raise OptionError(
                "path", f"{text!r} may only hold keys and indexes between slashes, such as instance/network/interface/0"
            )
    if parts[0].lower() == "identity":
        raise OptionError("path", "the identity endpoints hand out secrets, which this module never reads")
    whole = "/".join(parts)
    if whole in _ROOTS:
        return _ROOTS[whole]
    if parts[0] == INSTANCE.path:
        return Path(whole, INSTANCE.since, False)
    raise OptionError("path", f"{text!r} is not one of {', '.join(_ROOTS)}, nor a path below instance")
