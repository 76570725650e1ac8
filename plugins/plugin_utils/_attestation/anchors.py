# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trusted: Azure's roots named by their fingerprint, and files of the user.

The collection ships no certificate. The bytes of a built-in root are taken from the controller's CA bundles, or from
wherever else they turn up; its fingerprint decides.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from .aia import IssuerFetcher
from .bundles import find_bundles, load_roots, pem_bodies
from .certificates import is_ca, load_certificates
from .dependencies import require_cryptography, x509
from .reasons import OptionError
from .trust import Trust

MAX_FILE_BYTES = 4 * 1024 * 1024


class Sources(NamedTuple):
    """Where certificates come from: what is trusted, candidates that are not, and a search for more."""

    trust: Trust
    intermediates: tuple[x509.Certificate, ...] = ()
    fetch: IssuerFetcher | None = None


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
    :param cache_dir: where fetched certificates and the index of the CA bundles are kept; ``None`` for no cache.
    :raises OptionError: a file cannot be used, or nothing is left to trust.
    :raises DependencyError: cryptography is missing or too old.
    """
    require_cryptography()
    if fetch_intermediates not in ("auto", "never"):
        raise OptionError("fetch_intermediates", f"{fetch_intermediates} is neither auto nor never.")
    trusted = _read_files("anchors", anchors)
    bundles = find_bundles() if builtin_anchors else ()
    if builtin_anchors:
        trusted += load_roots(bundles, cache_dir)
    elif not trusted:
        raise OptionError("anchors", "is needed when builtin_anchors is false; otherwise nothing is trusted.")
    return Sources(
        Trust(tuple(trusted), builtin_anchors, tuple(bundle.path for bundle in bundles)),
        tuple(_read_files("intermediates", intermediates)),
        IssuerFetcher(cache_dir, builtin_anchors) if fetch_intermediates == "auto" else None,
    )


def read_certificates(option: str, path: str) -> list[x509.Certificate]:
    """The CA certificates in a PEM or DER file.

    :param option: named in errors.
    :raises OptionError: unreadable, empty, too large, or without a CA certificate.
    """
    file = os.path.expanduser(path)
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise OptionError(option, f"{path} is not a regular file; name each certificate file.")
        with open(file, "rb") as handle:
            content = handle.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise OptionError(option, f"{path} cannot be read on the controller: {error.strerror or error}.") from error
    if not content.strip():
        raise OptionError(option, f"{path} is empty.")
    if len(content) > MAX_FILE_BYTES:
        raise OptionError(option, f"{path} is larger than {MAX_FILE_BYTES} bytes.")
    ders = pem_bodies(content) if b"-----BEGIN " in content else [content]
    usable = [certificate for certificate in load_certificates(ders) if is_ca(certificate)]
    if not usable:
        raise OptionError(option, f"{path} holds no usable CA certificate (X.509 in PEM or DER, basic constraint CA).")
    return usable


def _read_files(option: str, paths: Sequence[str] | str | None) -> list[x509.Certificate]:
    listed = [paths] if isinstance(paths, str) else list(paths or ())
    return [certificate for path in listed for certificate in read_certificates(option, path)]
