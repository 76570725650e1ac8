# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a missing CA certificate from where the certificate below says it lies (authority information access).

The only file here that touches network and disk. The URL comes from a document that is not trusted yet, so: only
the hosts and paths of Azure's CAs, no redirect, no credentials, little data, little time. What arrives is no more
trusted than before: it must have signed the certificate below, and the whole path is validated afterwards.
The controller's proxy settings are honoured, as this is the Internet and not the metadata service.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from .addresses import NO_REQUESTS, NOT_ALLOWED, is_allowed
from .certificates import is_ca, is_current, is_issued_by, issuer_urls, load_certificate
from .chain import Fetched
from .dependencies import find_requests, x509
from .files import write_atomically
from .roots import BY_SUBJECT

MAX_BYTES = 16 * 1024
MAX_URLS = 3  # per certificate
URL_SECONDS = 5.0
TOTAL_SECONDS = 15.0


class FetchError(Exception):
    """One URL did not bring the issuer. The text is short and tells nothing about the network behind it.

    :param namesake: what it brought instead, if that is a CA certificate of the issuer's name that did not sign.
    """

    def __init__(self, outcome: str, namesake: x509.Certificate | None = None) -> None:
        super().__init__(outcome)
        self.namesake = namesake


class IssuerFetcher:
    """Finds issuers by their URL: first in the cache directory, then on the network. Serves one verification.

    A built-in root is also looked for where its CA publishes it. Only certificates that fitted are cached; a miss is
    asked for again by the next verification.

    :param cache_dir: made if absent; ``None`` for no cache. A cache that cannot be written is noted in
        ``warnings``, not an error.
    :param builtin: whether the built-in roots are trusted, and so worth fetching.
    """

    def __init__(self, cache_dir: str | os.PathLike[str] | None = None, builtin: bool = False) -> None:
        self._cache_dir = Path(cache_dir).expanduser() if cache_dir else None
        self._builtin = builtin
        self._seconds_left = TOTAL_SECONDS
        self.warnings: list[str] = []

    def __call__(self, certificate: x509.Certificate, at: datetime) -> Fetched:
        """Candidates for the issuer of ``certificate``: one that signed it and is valid ``at`` that time.

        Where there is none, those of the issuer's name that did not sign: they tell a forgery from a gap.
        """
        attempts: list[dict[str, str]] = []
        namesakes: list[x509.Certificate] = []
        for url in self._urls(certificate):
            try:
                issuer, outcome = self._issuer(url, certificate, at)
            except FetchError as error:
                attempts.append({"url": url, "outcome": str(error)})
                namesakes += [error.namesake] if error.namesake else []
                continue
            attempts.append({"url": url, "outcome": outcome})
            return Fetched([issuer], attempts)
        return Fetched(namesakes, attempts)

    def _urls(self, certificate: x509.Certificate) -> list[str]:
        urls = issuer_urls(certificate)[:MAX_URLS]
        root = BY_SUBJECT.get(certificate.issuer.rfc4514_string()) if self._builtin else None
        return list(dict.fromkeys([*urls, root.url] if root else urls))

    def _issuer(self, url: str, certificate: x509.Certificate, at: datetime) -> tuple[x509.Certificate, str]:
        if not is_allowed(url):
            raise FetchError(NOT_ALLOWED)
        with suppress(FetchError, OSError):
            return _fitting(self._read_cache(url), certificate, at), "cached"
        content = self._download(url)
        issuer = _fitting(content, certificate, at)
        self._write_cache(url, content)
        return issuer, "fetched"

    def _download(self, url: str) -> bytes:
        """One GET in a thread of its own: a deadline that no slow server can stretch."""
        if find_requests() is None:
            raise FetchError(NO_REQUESTS)
        if self._seconds_left <= 0:
            raise FetchError("no time left")
        answers: queue.SimpleQueue[bytes | FetchError] = queue.SimpleQueue()
        start = time.monotonic()
        threading.Thread(target=lambda: answers.put(_get(url)), daemon=True).start()
        try:
            answer = answers.get(timeout=min(URL_SECONDS, self._seconds_left))
        except queue.Empty:
            raise FetchError("no complete answer in time") from None
        finally:
            self._seconds_left -= time.monotonic() - start
        if isinstance(answer, FetchError):
            raise answer
        return answer

    def _cache_file(self, url: str) -> Path | None:
        return self._cache_dir / (hashlib.sha256(url.encode()).hexdigest() + ".crt") if self._cache_dir else None

    def _read_cache(self, url: str) -> bytes:
        path = self._cache_file(url)
        if path is None or not path.is_file():
            raise FetchError("not cached")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def _write_cache(self, url: str, content: bytes) -> None:
        path = self._cache_file(url)
        if path is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, content)
        except OSError as error:
            self.warnings.append(f"cache_dir: the fetched CA certificate could not be kept in {path.parent}: {error}")


def _fitting(content: bytes, certificate: x509.Certificate, at: datetime) -> x509.Certificate:
    """The DER certificate in ``content``, if it is the CA that issued ``certificate``."""
    if len(content) > MAX_BYTES:
        raise FetchError("too large")
    try:
        issuer = load_certificate(content)
    except ValueError as error:
        raise FetchError("not a certificate") from error
    if not is_ca(issuer) or issuer.subject != certificate.issuer:
        raise FetchError("not the issuer's certificate")
    if not is_issued_by(certificate, issuer):
        raise FetchError("a certificate of the issuer's name that did not sign this one", issuer)
    if not is_current(issuer, at):
        raise FetchError("the issuer's certificate is not valid at this time")
    return issuer


def _get(url: str) -> bytes | FetchError:
    """The body of a plain 200 answer, at most one byte more than allowed."""
    requests = find_requests()
    if requests is None:
        return FetchError(NO_REQUESTS)
    try:
        with requests.Session() as session:
            # A callable keeps requests from sending what ~/.netrc may hold for this host.
            session.auth = lambda request: request
            response = session.get(
                url,
                allow_redirects=False,
                stream=True,
                timeout=URL_SECONDS,
                headers={"Accept-Encoding": "identity", "User-Agent": "imds.azure"},
            )
            if response.status_code != requests.codes.ok:
                return FetchError("no plain answer (status other than 200)")
            return bytes(response.raw.read(MAX_BYTES + 1, decode_content=False))
    except Exception:  # whatever the library raises: a miss is a miss, and its text stays here
        return FetchError("no answer")
