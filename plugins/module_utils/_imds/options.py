# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user may set, checked once. Pure."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

ENDPOINT = "http://169.254.169.254"


class OptionError(ValueError):
    """An option can't be used.

    :param option: its name
    :param problem: what is wrong, and what to give instead
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option


class Settings(NamedTuple):
    """Times are seconds. address is the endpoint, taken apart: IP address and port."""

    address: tuple[str, int] = ("169.254.169.254", 80)
    api_version: str | None = None
    detect: str = "auto"
    chassis_asset_tag: str | None = None
    connect_timeout: float = 2.0
    read_timeout: float = 10.0
    timeout: float = 30.0
    updating_timeout: float = 100.0
    include_user_data: bool = False
    include_public_keys: bool = False
    load_balancer: bool = False

    @property
    def loopback(self) -> bool:
        return _is_loopback(self.address[0])


def settings(params: Mapping[str, Any]) -> Settings:
    """Settings from a module's parameters; keys that are no setting, and unset ones, are left out.

    :raises OptionError: for an endpoint or a time that makes no sense
    """
    given = {name: value for name, value in params.items() if name in Settings._fields and value is not None}
    for name, value in given.items():
        if isinstance(value, float) and not 0 < value <= 3600:
            raise OptionError(name, f"{value:g} is no usable time, give more than 0 and at most 3600 seconds")
    endpoint = params.get("endpoint") or ENDPOINT
    result = Settings(address=_address(endpoint), **given)
    if result.detect != "force" and not result.loopback and result.address != Settings().address:
        raise OptionError(
            "endpoint", f"{endpoint} is neither the metadata address nor loopback; if you mean it, set detect to force"
        )
    return result


def _address(endpoint: str) -> tuple[str, int]:
    match = re.fullmatch(r"http://(?:\[([0-9A-Fa-f:.]+)\]|([^/:?#@\[\]]+))(?::([0-9]{1,5}))?/?", endpoint)
    if not match:
        raise OptionError("endpoint", f"{endpoint!r} is not of the form http://ADDRESS or http://ADDRESS:PORT")
    six, four, port = match.groups()
    host = "127.0.0.1" if four == "localhost" else six or four
    try:
        socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, host)
    except OSError:
        raise OptionError(
            "endpoint", f"{host!r} is not an IP address; names are not looked up, give the address"
        ) from None
    number = int(port) if port else 80
    if not 0 < number < 65536:
        raise OptionError("endpoint", f"{number} is not a port, give 1 to 65535")
    return host, number


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


class Path(NamedTuple):
    """A documented path of IMDS.

    since: first API version that has it, empty where the path has no versions; root: every VM has it.
    """

    path: str
    since: str
    root: bool


_ROOTS = {
    "instance": "2017-04-02",
    "attested/document": "2018-10-01",
    "loadbalancer": "2020-10-01",
    "versions": "",
}
_KEY = re.compile(r"[A-Za-z0-9_-]+")


def path(text: str) -> Path:
    """Check a path below /metadata, such as instance/compute/tagsList/0.

    :raises OptionError: for anything but a documented root, or keys and indexes below instance
    """
    parts = text.strip("/").split("/")
    for part in parts:
        if not _KEY.fullmatch(part):
            raise OptionError(
                "path", f"{text!r} may only hold keys and indexes between slashes, such as instance/network/interface/0"
            )
    if parts[0] == "identity":
        raise OptionError("path", "the identity endpoints hand out secrets, which this module never reads")
    whole = "/".join(parts)
    if whole in _ROOTS:
        return Path(whole, _ROOTS[whole], whole in ("instance", "versions", "attested/document"))
    if parts[0] == "instance":
        return Path(whole, _ROOTS["instance"], False)
    raise OptionError("path", f"{text!r} is not one of {', '.join(_ROOTS)}, nor a path below instance")
