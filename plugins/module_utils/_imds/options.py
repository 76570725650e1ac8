# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that a user can set, checked in one place. Pure."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any

ENDPOINT = "http://169.254.169.254"
_DATE = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


class OptionError(ValueError):
    """An option has an unusable value.

    :param option: its name
    :param problem: what is wrong with it, and what to use instead
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option


class Settings:
    """Times are in seconds. address is the endpoint as IP address and port."""

    def __init__(
        self,
        address: tuple[str, int] = ("169.254.169.254", 80),
        api_version: str | None = None,
        detect: str = "auto",
        chassis_asset_tag: str | None = None,
        connect_timeout: float = 2.0,
        read_timeout: float = 10.0,
        timeout: float = 30.0,
        updating_timeout: float = 100.0,
        include_user_data: bool = False,
        include_public_keys: bool = False,
        load_balancer: bool = False,
    ) -> None:
        self.address = address
        self.api_version = api_version
        self.detect = detect
        self.chassis_asset_tag = chassis_asset_tag
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.timeout = timeout
        self.updating_timeout = updating_timeout
        self.include_user_data = include_user_data
        self.include_public_keys = include_public_keys
        self.load_balancer = load_balancer

    @property
    def loopback(self) -> bool:
        return _is_loopback(self.address[0])


def settings(params: Mapping[str, Any]) -> Settings:
    """Settings from a module's parameters; keys that are not settings, and unset ones, are ignored.

    :raises OptionError: for an endpoint, a time or an API version that cannot be used
    """
    defaults = Settings()
    given = {name: value for name, value in params.items() if name in vars(defaults) and value is not None}
    given.update({name: _seconds(name, value) for name, value in given.items() if name.endswith("timeout")})
    if not is_version(given.get("api_version", "2025-04-07")):
        raise OptionError("api_version", f"{given['api_version']!r} is not a date such as 2025-04-07")
    endpoint = params.get("endpoint") or ENDPOINT
    result = Settings(address=_address(endpoint), **given)
    if result.detect != "force" and not result.loopback and result.address != defaults.address:
        raise OptionError(
            "endpoint", f"{endpoint} is neither the metadata address nor loopback; if you mean it, set detect to force"
        )
    return result


def is_version(text: str) -> bool:
    """Whether it has the form of an API version."""
    return _DATE.fullmatch(text) is not None


def nonce(text: str) -> str:
    """A nonce that IMDS accepts: at most 32 characters, safe in a query string.

    :raises OptionError: for any other text
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
        raise OptionError("nonce", f"{text!r} is not 1 to 32 letters, digits, hyphens or underscores")
    return text


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise OptionError(name, f"{value!r} is not a usable time; give more than 0 and at most 3600 seconds")
    return seconds


def _address(endpoint: str) -> tuple[str, int]:
    match = re.fullmatch(r"http://(?:\[([0-9A-Fa-f:.]+)\]|([^/:?#@\[\]]+))(?::([0-9]{1,5}))?/?", endpoint)
    if not match:
        raise OptionError("endpoint", f"{endpoint!r} is not of the form http://ADDRESS or http://ADDRESS:PORT")
    six, four, port = match.groups()
    host = "127.0.0.1" if four == "localhost" else six or four
    try:
        socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, host)
    except (OSError, ValueError):
        raise OptionError("endpoint", f"{host!r} is not an IP address; names are not looked up") from None
    number = int(port) if port else 80
    if not 0 < number < 65536:
        raise OptionError("endpoint", f"{number} is not a port, give 1 to 65535")
    return host, number


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"
