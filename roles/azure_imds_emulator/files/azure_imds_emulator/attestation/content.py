# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an attested document states. Pure."""

from __future__ import annotations

import time
from typing import Any

from .. import unevidenced
from ..message import json_body
from ..versions import ATTESTED
from ..vms import Vm

LIFETIME = 6 * 3600  # seconds


def content(vm: Vm, version: str, nonce: str, created: float) -> bytes:
    """The JSON that is signed, with the fields that ``version`` knows. An empty nonce becomes the automatic one.

    The automatic nonce is the time of expiry: that of every captured document, whatever the documentation says.
    """
    expires = time.gmtime(created + LIFETIME)
    plan = _part(vm.compute, "plan")
    values: dict[str, Any] = {
        "licenseType": _text(vm.compute, "licenseType"),
        "plan": {name: _text(plan, name) for name in ("name", "product", "publisher")},
        "sku": _text(vm.compute, "sku"),
        "subscriptionId": _text(vm.compute, "subscriptionId"),
        "vmId": _text(vm.compute, "vmId"),
    }
    if vm.classic:
        values.update({name: _emptied(values[name]) for name in values if name not in unevidenced.CLASSIC_ATTESTED})
    values["nonce"] = nonce or time.strftime("%Y%m%d-%H%M%S", expires)
    values["timeStamp"] = {"createdOn": _stamp(time.gmtime(created)), "expiresOn": _stamp(expires)}
    return json_body({name: value for name, value in values.items() if ATTESTED[name] <= version})


def _stamp(moment: time.struct_time) -> str:
    return time.strftime("%m/%d/%y %H:%M:%S -0000", moment)


def _part(node: dict[str, Any], name: str) -> dict[str, Any]:
    part = node.get(name)
    return part if isinstance(part, dict) else {}


def _text(node: dict[str, Any], name: str) -> str:
    value = node.get(name)
    return value if isinstance(value, str) else ""


def _emptied(value: Any) -> Any:
    return dict.fromkeys(value, "") if isinstance(value, dict) else ""
