# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests the control endpoint accepts: those of programs, not those that a web page has a browser send. Pure.

A browser on this machine reaches the control endpoint, and any page can make it send requests there:

- A page whose own name has come to lead here (DNS rebinding) can even read the answers. Its browser then says that name
  in ``Host``. So ``Host`` must be an IP address, ``localhost`` or a name that the user listed; only programs omit it.
- A page from elsewhere can send, but not read. Browsers say in ``Origin`` where such a page is from, with everything
  that can have a body. Programs send no ``Origin``.
- A page can send only three media types without asking first. Of these ``text/plain`` and ``multipart/form-data`` are
  refused. ``application/x-www-form-urlencoded`` is what curl -d, wget and urllib send unless told otherwise, so it is
  accepted: an HTML form of that type can't produce JSON, and a script can't leave out ``Origin``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Optional

from .message import Request

WITH_BODY = ("POST", "PUT", "PATCH")
FORM = "application/x-www-form-urlencoded"
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]*)?")


@dataclass(frozen=True)
class Objection:
    """Why a request is refused: the answer's status, the header at fault, and a message with the remedy."""

    status: int
    field: str
    message: str


def objection(request: Request, names: Collection[str] = ()) -> Optional[Objection]:
    """What is wrong with where the request comes from, or None. ``names``: host names that may be used, lower case."""
    host = _said(request, "Host")
    if host is not None and not _is_known(host, names):
        return Objection(
            403,
            "Host",
            f"{host[:200]!r} is neither an IP address nor localhost; "
            "use one of these, or start the emulator with --control-host NAME",
        )
    origin = _said(request, "Origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return Objection(403, "Origin", f"{origin[:200]!r} is another site; requests of its pages are not accepted")
    media_type = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if request.method in WITH_BODY and not _may_be_json(media_type):
        return Objection(415, "Content-Type", f"{media_type[:200]!r} is not accepted; send application/json")
    return None


def _said(request: Request, name: str) -> Optional[str]:
    """The value of a header that is there once; all values where it is repeated; None where it is missing."""
    values = [value.strip() for key, value in request.headers if key.lower() == name.lower()]
    return ", ".join(values) if values else None


def _is_known(host: str, names: Collection[str]) -> bool:
    found = _HOST.fullmatch(host)
    if not found:
        return False
    address, name = found.groups()
    try:
        ipaddress.ip_address(address or name)
    except ValueError:
        return name is not None and (name.lower() == "localhost" or name.lower() in names)
    return True


def _may_be_json(media_type: str) -> bool:
    return media_type in ("", "application/json", FORM) or media_type.endswith("+json")
