# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trusted: Azure's roots named by their fingerprint, and files of the user.

The collection ships no certificate. The bytes of a built-in root are taken from the controller's CA bundles
(certifi, through requests, and the system's); its fingerprint decides, not where it came from.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import os
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .aia import IssuerFetcher
from .chain import is_ca, load_certificate
from .dependencies import requests, require_cryptography, x509
from .reasons import OptionError

# SHA-256 of the roots that Azure's metadata certificates chain to (Microsoft's "Azure Certificate Authority details").
BUILTIN = {
    "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f": "DigiCert Global Root G2",
    "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0": "DigiCert Global Root G3",
    "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161": "DigiCert Global Root CA",
    "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0": "Microsoft RSA Root CA 2017",
    "358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02": "Microsoft ECC Root CA 2017",
    "6a170583db584151e1c454eeca2a64cc5d8e484a5bd1156e720b4458654ee9e5": "Microsoft TLS RSA Root G2",
}
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
MAX_FILE_BYTES = 4 * 1024 * 1024

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END ")


class Sources(NamedTuple):
    """Where certificates come from: trusted anchors, candidates that are not trusted, and a search for more."""

    anchors: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]
    fetch: IssuerFetcher | None


def load_sources(
    *,
    anchors: Sequence[str] | str | None = None,
    builtin_anchors: bool = True,
    intermediates: Sequence[str] | str | None = None,
    fetch_intermediates: str = "auto",
    cache_dir: str | None = None,
) -> Sources:
    """Check and read what the options of a task name. Nothing is fetched here. Good for one verification.

    :param anchors: PEM or DER files of roots to trust, besides the built-in ones or, without these, alone.
    :param intermediates: PEM or DER files of CA certificates that may complete a chain.
    :param fetch_intermediates: ``auto`` or ``never``.
    :param cache_dir: where fetched certificates are kept; ``None`` for no cache.
    :raises OptionError: a file cannot be used, or nothing is left to trust.
    :raises DependencyError: cryptography is missing or too old.
    """
    require_cryptography()
    if fetch_intermediates not in ("auto", "never"):
        raise OptionError("fetch_intermediates", f"{fetch_intermediates} is neither auto nor never.")
    trusted = _read_files("anchors", anchors)
    if builtin_anchors:
        trusted += load_builtin(_bundles())
    if not trusted:
        raise OptionError("anchors", _nothing_to_trust(builtin_anchors))
    return Sources(
        tuple(trusted),
        tuple(_read_files("intermediates", intermediates)),
        IssuerFetcher(cache_dir) if fetch_intermediates == "auto" else None,
    )


@functools.lru_cache(maxsize=4)
def load_builtin(bundles: tuple[str, ...]) -> list[x509.Certificate]:
    """The roots of :data:`BUILTIN` that lie in the PEM bundles. Bundles that cannot be read are passed over."""
    found: dict[str, x509.Certificate] = {}
    for bundle in bundles:
        try:
            content = Path(bundle).read_bytes()
        except OSError:
            continue
        for der in _pem_bodies(content):
            fingerprint = hashlib.sha256(der).hexdigest()
            if fingerprint in BUILTIN and fingerprint not in found:
                found[fingerprint] = load_certificate(der)
    return list(found.values())


def read_certificates(option: str, path: str) -> list[x509.Certificate]:
    """The CA certificates in a PEM or DER file.

    :param option: named in errors.
    :raises OptionError: unreadable, empty, too large, or without a CA certificate.
    """
    file = Path(path).expanduser()
    try:
        if file.exists() and not file.is_file():
            raise OptionError(option, f"{path} is not a regular file; name each certificate file.")
        with file.open("rb") as handle:
            content = handle.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise OptionError(option, f"{path} cannot be read on the controller: {error.strerror or error}.") from error
    if not content.strip():
        raise OptionError(option, f"{path} is empty.")
    if len(content) > MAX_FILE_BYTES:
        raise OptionError(option, f"{path} is larger than {MAX_FILE_BYTES} bytes.")
    usable = []
    for der in _pem_bodies(content) if b"-----BEGIN " in content else [content]:
        try:
            certificate = load_certificate(der)
        except ValueError:
            continue
        if is_ca(certificate):
            usable.append(certificate)
    if not usable:
        raise OptionError(option, f"{path} holds no usable CA certificate (X.509 in PEM or DER, basic constraint CA).")
    return usable


def _read_files(option: str, paths: Sequence[str] | str | None) -> list[x509.Certificate]:
    listed = [paths] if isinstance(paths, str) else list(paths or ())
    return [certificate for path in listed for certificate in read_certificates(option, path)]


def _pem_bodies(content: bytes) -> list[bytes]:
    bodies = []
    for match in _PEM.finditer(content):
        try:
            bodies.append(base64.b64decode(match[1]))
        except binascii.Error:
            continue
    return bodies


def _bundles() -> tuple[str, ...]:
    certifi = [requests.utils.DEFAULT_CA_BUNDLE_PATH] if requests is not None else []
    system = ssl.get_default_verify_paths()
    named = [path for path in (system.cafile, system.openssl_cafile) if path]
    return tuple(dict.fromkeys(os.path.realpath(path) for path in (*certifi, *named, *SYSTEM_BUNDLES)))


def _nothing_to_trust(builtin: bool) -> str:
    if not builtin:
        return "is needed when builtin_anchors is false; otherwise nothing is trusted."
    return (
        "is needed: no built-in root was found in the controller's CA bundles "
        f"({', '.join(_bundles())}). Install certifi or the system's ca-certificates, or name files."
    )
