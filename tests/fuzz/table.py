# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""All targets."""

from __future__ import annotations

from collections.abc import Mapping

from . import attestation, emulator, events, hosts, identity, metadata, routes
from .target import Target

TARGETS: Mapping[str, Target] = {
    target.name: target
    for module in (metadata, attestation, routes, events, identity, hosts, emulator)
    for target in module.TARGETS
}
