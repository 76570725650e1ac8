# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One GET by the C# core."""

from __future__ import annotations

import base64
from typing import Any, Optional

from ansible_collections.imds.azure.tests.windows.core import Core

Limits = tuple[float, float, float]


def request(address: tuple[str, int], limits: Limits, source: Optional[str] = None) -> dict[str, Any]:
    times = dict(zip(("connect_timeout", "read_timeout", "timeout"), limits))
    headers = {"Metadata": "true", "Accept": "*/*"}
    return {"host": address[0], "port": address[1], "target": "/x?y=z", "headers": headers, "source": source, **times}


def csharp_get(core: Core, *arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = core("get", **request(*arguments))
    return {**found, "body": base64.b64decode(found["body"])} if "body" in found else found
