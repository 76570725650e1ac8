# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTPS GET, through the proxy that the environment names if it names one. Redirects are not followed."""

from __future__ import annotations

import base64
import http.client
import queue
import socket
import ssl
import threading
import urllib.parse
import urllib.request
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

from .vault import Answer, Location, VaultError

# Key Vault's limit for a secret is 25 KiB.
_MAX_BODY = 512 * 1024


class Proxy:
    """host, port, and the header that it is told who asks with."""

    def __init__(self, host: str, port: int, headers: dict[str, str]) -> None:
        self.host = host
        self.port = port
        self.headers = headers


def trust(ca_path: str | None) -> ssl.SSLContext:
    """What is trusted: the CA certificates of the system, and those in a file.

    :raises OptionError: the file holds none
    """
    context = ssl.create_default_context()
    if ca_path:
        try:
            context.load_verify_locations(cafile=ca_path)
        except (OSError, ssl.SSLError) as error:
            problem = error.strerror or str(error)
            raise OptionError("ca_path", f"{ca_path} holds no CA certificate in PEM format: {problem}") from None
    return context


def get(place: Location, target: str, headers: dict[str, str], trusted: ssl.SSLContext, timeout: float) -> Answer:
    """The answer to a GET.

    Done in a thread of its own, because nothing else bounds the time that resolving a name, the handshake and a slow
    answer take together.

    :param timeout: seconds for everything
    :raises VaultError: for everything but a complete answer
    """
    results: queue.Queue[Any] = queue.Queue()

    def work() -> None:
        try:
            results.put(_exchange(place, target, headers, trusted, timeout))
        except Exception as error:  # whatever it is, it belongs to the one who waits
            results.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        result = results.get(timeout=timeout)
    except queue.Empty:
        result = socket.timeout()
    if isinstance(result, Answer):
        return result
    raise _failure(place, result) from None


def proxy_for(host: str) -> Proxy | None:
    """The proxy that the environment names for HTTPS to a host.

    :raises VaultError: its address can't be used
    """
    proxies = urllib.request.getproxies()
    address = proxies.get("https") or proxies.get("all")
    if not address or urllib.request.proxy_bypass(host):
        return None
    url = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
    try:
        port = url.port or 80
    except ValueError:
        port = 0
    if url.scheme != "http" or not url.hostname or not port:
        raise VaultError("vault_unreachable", "the proxy in https_proxy is not of the form http://HOST:PORT")
    headers = {}
    if url.username is not None:
        pair = f"{urllib.parse.unquote(url.username)}:{urllib.parse.unquote(url.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(url.hostname, port, headers)


def _exchange(place: Location, target: str, headers: dict[str, str], trusted: ssl.SSLContext, timeout: float) -> Answer:
    proxy = proxy_for(place.host)
    host, port = (proxy.host, proxy.port) if proxy else (place.host, place.port)
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=trusted)
    try:
        if proxy:
            connection.set_tunnel(place.host, place.port, proxy.headers)
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        body = response.read(_MAX_BODY + 1)
    finally:
        connection.close()
    if len(body) > _MAX_BODY:
        raise VaultError("vault_intercepted", f"the answer is larger than {_MAX_BODY // 1024} KiB")
    if response.length:
        raise VaultError("vault_unreachable", f"the answer ends {response.length} bytes too early")
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def _failure(place: Location, error: Exception) -> VaultError:
    if isinstance(error, VaultError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return VaultError("vault_untrusted", f"{place.url}: {error.verify_message}")
    if isinstance(error, socket.timeout):
        return VaultError("vault_unreachable", f"{place.url}: no complete answer in time")
    if isinstance(error, socket.gaierror):
        return VaultError("vault_not_found", f"{place.host} or the proxy: {error.strerror}")
    if isinstance(error, OSError):
        return VaultError("vault_unreachable", f"{place.url}: {error.strerror or error}")
    # Its text may quote what was sent or received.
    return VaultError("vault_intercepted", f"{place.url}: {type(error).__name__}")
