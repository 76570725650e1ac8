# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks TLS, with a certificate of the emulator's CA."""

from __future__ import annotations

import base64
import ipaddress
import os
import socket
import ssl
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable
from typing import Any

from .attestation import rsa
from .attestation.authority import DAY, Authority, pem
from .attestation.certificates import CertificateSpec, private_key
from .server import NEWEST_BUILD, Server

VALID = 180 * DAY
NAMES = (
    "localhost",
    *(f"*.{suffix}" for suffix in ("vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn")),
    *("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.windows.net"),
)
LOOPBACK = ("127.0.0.1", "::1")


def context(authority: Authority, addresses: Iterable[str]) -> ssl.SSLContext:
    """For servers on these addresses, under all names that Azure uses."""
    start = int(time.time()) // DAY * DAY - DAY
    listened = {address for address in addresses if not ipaddress.ip_address(address).is_unspecified}
    names = (*NAMES, *sorted({*LOOPBACK, *listened}))
    leaf = authority.leaf(CertificateSpec("*.vault.azure.net", start, start + VALID, names=names))
    chain = (_key_pem(leaf.key), pem(leaf), pem(authority.intermediate()))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python takes a key from a file only; this one is readable for its owner alone, and gone at once.
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with open(handle, "wb") as file:
            file.write(b"".join(chain))
        made.load_cert_chain(name)
    finally:
        os.unlink(name)
    return made


class TlsServer(Server):
    """The same over TLS. The handshake takes place in the connection's own thread."""

    def __init__(
        self, address: tuple[str, int], service: Any, secured: ssl.SSLContext, build: int = NEWEST_BUILD
    ) -> None:
        """``secured``: what `context` made.

        :raises OSError: if the system refuses
        """
        self._context = secured
        super().__init__(address, service, build)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection that will speak TLS as soon as it is read from."""
        connection, address = super().get_request()
        return (
            self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False),
            address,
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that does not speak TLS, or does not trust us, is not an error of ours."""
        if not isinstance(sys.exc_info()[1], ssl.SSLError):
            super().handle_error(request, client_address)


def _key_pem(key: rsa.Key) -> bytes:
    lines = textwrap.wrap(base64.b64encode(private_key(key)).decode(), 64)
    return "\n".join(("-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----", "")).encode()
