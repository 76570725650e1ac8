# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/loadbalancer: front ends and rules in front of the VM, with the documented errors."""

from __future__ import annotations

from .. import errors
from ..message import Answer, json_body
from ..versions import LOADBALANCER_SINCE, VERSIONS
from .family import Call

PARAMETERS = {"api-version", "format", "extended"}


def answer(call: Call) -> Answer:
    """The VM's load balancer data. Ports are numbers here."""
    version = call.parameters.get("api-version")
    if call.route or (version in VERSIONS and version < LOADBALANCER_SINCE):
        return errors.loadbalancer("no_api", call.request)
    if version is None:
        return errors.loadbalancer("missing", call.request, "api-version")
    if version not in VERSIONS:
        return errors.BAD_VERSION
    if not PARAMETERS.issuperset(call.parameters):
        return errors.loadbalancer("unexpected", call.request)
    if call.vm.loadbalancer is None:
        return errors.loadbalancer("no_data", call.request)
    return Answer(200, json_body({"loadbalancer": call.vm.loadbalancer}))
