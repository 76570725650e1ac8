# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries the verifier needs on the controller, behind one guard.

Every other file imports them from here, so that a controller without them still loads the plugin
and :func:`require_cryptography` can say what is missing.
"""

from __future__ import annotations

__all__ = [
    "InvalidSignature",
    "UnsupportedAlgorithm",
    "VerificationError",
    "ec",
    "hashes",
    "padding",
    "requests",
    "require_cryptography",
    "rsa",
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
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.x509 import verification
    from cryptography.x509.verification import VerificationError
except ImportError:
    x509 = hashes = ec = padding = rsa = verification = None  # type: ignore[assignment]
    InvalidSignature = UnsupportedAlgorithm = VerificationError = Exception  # type: ignore[assignment,misc]

try:
    import requests
except ImportError:
    requests = None  # type: ignore[assignment]


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
