# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of the event source, checked. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

RECEIVING = ("listen", "token", "certfile", "keyfile")


class ReceiveOptions:
    """address: IP address and port to listen on; token: what every request must bring, if anything; certfile, keyfile:
    for TLS, None without."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        """:raises OptionError: for the first argument that can't be used"""
        for name in given:
            if name not in RECEIVING:
                raise OptionError(str(name), f"does not go with listen; there are {', '.join(RECEIVING)}")
        for name in RECEIVING:
            if given.get(name) is not None and (not isinstance(given[name], str) or not given[name]):
                shown = "its value" if name == "token" else repr(given[name])
                raise OptionError(name, f"{shown} is not a text of at least one character")
        self.address = _address(given["listen"])
        self.token: str | None = given.get("token")
        self.certfile: str | None = given.get("certfile")
        self.keyfile: str | None = given.get("keyfile")
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise OptionError("token", "contains a character other than printable ASCII, or a space")
        if self.keyfile and not self.certfile:
            raise OptionError("keyfile", "needs certfile")
        if self.token is None and not ipaddress.ip_address(self.address[0]).is_loopback:
            raise OptionError(
                "token",
                f"is required, because others can reach {self.address[0]}: whoever can post could start your rules",
            )


def receives(given: Mapping[str, Any]) -> bool:
    """Whether the source receives what watchers post; else it watches the VM that it runs on."""
    return given.get("listen") is not None


def _address(text: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        raise OptionError(
            "listen", f"{text!r} is not of the form ADDRESS:PORT, such as 0.0.0.0:5020; an IPv6 address needs brackets"
        ) from None
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) < 65536):
        raise OptionError("listen", f"{port!r} is not a port; give 0 to 65535")
    return str(address), int(port)
