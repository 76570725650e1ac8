# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries the verifier needs on the controller, behind one guard.

Every other file imports them from here, so that a controller without them still loads the plugin
and :func:`require_cryptography` can say what is missing.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
from types import ModuleType

__all__ = [
    "DependencyError",
    "InvalidSignature",
    "UnsupportedAlgorithm",
    "VerificationError",
    "certifi_bundle",
    "ec",
    "find_requests",
    "hashes",
    "padding",
    "require_cryptography",
    "rsa",
    "serialization",
    "verification",
    "x509",
]

MINIMUM_CRYPTOGRAPHY = 42  # the first release that validates certificate paths

try:
    import cryptography
except ImportError:
    cryptography = None  # type: ignore[assignment]

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.x509 import verification
    from cryptography.x509.verification import VerificationError
except ImportError:
    x509 = hashes = serialization = ec = padding = rsa = verification = None  # type: ignore[assignment]
    InvalidSignature = UnsupportedAlgorithm = VerificationError = Exception  # type: ignore[assignment,misc]


@functools.cache
def find_requests() -> ModuleType | None:
    """The library requests, or ``None``. Loaded when it is first needed: it takes longer than a verification."""
    try:
        return importlib.import_module("requests")
    except ImportError:
        return None


@functools.cache
def certifi_bundle() -> str | None:
    """Where the CA bundle of certifi lies, which requests brings along."""
    try:
        spec = importlib.util.find_spec("certifi")
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec else None
    return os.path.join(places[0], "cacert.pem") if places else None


class DependencyError(Exception):
    """A library is missing on the controller or too old. The text names the remedy."""


def require_cryptography() -> None:
    """Raise :class:`DependencyError` unless cryptography can validate certificate paths."""
    found = cryptography.__version__ if cryptography else "none"
    if x509 is None or int(found.split(".")[0]) < MINIMUM_CRYPTOGRAPHY:
        raise DependencyError(
            f"Attested documents are verified with the Python library cryptography >= {MINIMUM_CRYPTOGRAPHY}.0.0 "
            f"on the controller; found {found}. Install it for the Python that runs Ansible: "
            f"python3 -m pip install 'cryptography>={MINIMUM_CRYPTOGRAPHY}'."
        )


def _initialise_openssl() -> None:
    """Have OpenSSL load its algorithms, which takes it about a millisecond, once."""
    with contextlib.suppress(Exception):
        key = rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key()
        for digest in (hashes.SHA384(), hashes.SHA256()):
            with contextlib.suppress(InvalidSignature):
                key.verify(bytes(256), b"", padding.PKCS1v15(), digest)


# Ansible imports an action plugin before it forks a worker for each host: what is done here is done for all of them.
certifi_bundle()
if x509 is not None:
    _initialise_openssl()
