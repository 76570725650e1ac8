# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in roots that lie in the controller's CA bundles, and an index that spares reading these again.

A bundle holds some hundred certificates, and each has to be hashed to find a root by its fingerprint. The index keeps
the roots that were found, by path, size and modification time of the bundle. It is not trusted: what it hands out has
the fingerprint of a built-in root, or is not used.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import os
import re
import ssl
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .certificates import load_known
from .dependencies import certifi_bundle, x509
from .files import write_atomically
from .roots import BY_FINGERPRINT

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
INDEX_NAME = "roots.json"
MAX_INDEX_BYTES = 256 * 1024

_FORMAT = 1
_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END ")


class Bundle(NamedTuple):
    """A CA bundle, and what tells that it has changed: size in bytes, modification time in nanoseconds."""

    path: str
    size: int
    modified: int


def find_bundles() -> tuple[Bundle, ...]:
    """The CA bundles of this controller: certifi's, OpenSSL's, the system's. Each file once."""
    defaults = ssl.get_default_verify_paths()
    found: dict[tuple[int, int], Bundle] = {}
    for path in (certifi_bundle(), defaults.cafile, defaults.openssl_cafile, *SYSTEM_BUNDLES):
        try:
            status = os.stat(path) if path else None
        except OSError:
            continue
        if path and status and stat.S_ISREG(status.st_mode):
            found.setdefault((status.st_dev, status.st_ino), Bundle(path, status.st_size, status.st_mtime_ns))
    return tuple(found.values())


@functools.lru_cache(maxsize=4)
def _load_roots(bundles: tuple[Bundle, ...], cache_dir: str | None) -> tuple[x509.Certificate, ...]:
    file = os.path.join(os.path.expanduser(cache_dir), INDEX_NAME) if cache_dir else None
    ders = _read_index(file, bundles) if file else None
    if ders is None:
        by_bundle = {bundle: _scan(bundle.path) for bundle in bundles}
        ders = {name: der for found in by_bundle.values() for name, der in found.items()}
        if file:
            _write_index(file, bundles, ders)
    return tuple(load_known(ders.values()))


def load_roots(bundles: tuple[Bundle, ...], cache_dir: str | None = None) -> list[x509.Certificate]:
    """The built-in roots in the bundles. One that cannot be read is passed over.

    :param cache_dir: where the index is kept; ``None`` for none. One that cannot be written costs time, nothing else.
    """
    return list(_load_roots(bundles, cache_dir))


def pem_bodies(content: bytes) -> list[bytes]:
    """What the certificates in a PEM text encode."""
    bodies = []
    for match in _PEM.finditer(content):
        try:
            bodies.append(base64.b64decode(match[1]))
        except binascii.Error:
            continue
    return bodies


def _scan(path: str) -> dict[str, bytes]:
    """Fingerprint -> DER of the built-in roots in one bundle."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        return {}
    return _builtin(pem_bodies(content))


def _builtin(ders: Iterable[bytes]) -> dict[str, bytes]:
    named = ((hashlib.sha256(der).hexdigest(), der) for der in ders)
    return {fingerprint: der for fingerprint, der in named if fingerprint in BY_FINGERPRINT}


def _read_index(file: str, bundles: tuple[Bundle, ...]) -> dict[str, bytes] | None:
    """The roots in an index of exactly these bundles; ``None`` if there is none."""
    try:
        with open(file, "rb") as handle:
            content = handle.read(MAX_INDEX_BYTES + 1)
        index = json.loads(content) if len(content) <= MAX_INDEX_BYTES else None
        if not isinstance(index, dict) or index.get("of") != _contents(bundles):
            return None
        found = _builtin(base64.b64decode(text) for text in index["roots"].values())
        return found if found.keys() == index["roots"].keys() else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _write_index(file: str, bundles: tuple[Bundle, ...], ders: dict[str, bytes]) -> None:
    roots = {fingerprint: base64.b64encode(der).decode("ascii") for fingerprint, der in ders.items()}
    try:
        path = Path(file)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"of": _contents(bundles), "roots": roots}).encode())
    except OSError:
        return


def _contents(bundles: tuple[Bundle, ...]) -> dict[str, Any]:
    """What an index was made from: it holds for the same bundles and the same built-in roots."""
    return {"format": _FORMAT, "roots": sorted(BY_FINGERPRINT), "bundles": [list(bundle) for bundle in bundles]}
