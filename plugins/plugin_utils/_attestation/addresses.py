# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses from which CA certificates may be fetched, and why one was not. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

# Outcomes of an attempt that decide what is recommended.
NOT_ALLOWED = "not on the list of allowed addresses"
NO_REQUESTS = "the Python library requests is not installed on the controller"

_FILE = r"[A-Za-z0-9][A-Za-z0-9 ._()-]*\.crt"
# Host -> form of the decoded path. The hosts are those of Microsoft's page "Azure Certificate Authority details".
ALLOWED = {
    "www.microsoft.com": re.compile(rf"/pkiops/certs/{_FILE}", re.ASCII),
    "caissuers.microsoft.com": re.compile(rf"/pkiops/certs/{_FILE}", re.ASCII),
    "cacerts.digicert.com": re.compile(rf"/{_FILE}", re.ASCII),
    "cacerts.digicert.cn": re.compile(rf"/{_FILE}", re.ASCII),
    "cacerts.geotrust.com": re.compile(rf"/{_FILE}", re.ASCII),
}
_URL_CHARACTERS = re.compile(r"[!-~]{1,1024}", re.ASCII)
_PORTS = {"http": (None, 80), "https": (None, 443)}


def is_allowed(url: str) -> bool:
    """Whether a URL from a certificate may be asked at all."""
    if not _URL_CHARACTERS.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        port_allowed = parts.port in _PORTS.get(parts.scheme, ())
    except ValueError:
        return False
    path = ALLOWED.get(parts.hostname or "")
    plain = "@" not in parts.netloc and "?" not in url and "#" not in url
    return bool(port_allowed and plain and path and path.fullmatch(unquote(parts.path)))
