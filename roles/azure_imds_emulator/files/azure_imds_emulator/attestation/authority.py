# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's certificate authority: root <- intermediate, and the keys of those who sign documents.

A key takes some tenths of a second to make, so none is made before it is needed. Everything else follows from keys
and time: a certificate is issued whenever it is asked for, and is always the same.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import json
import operator
import os
import stat
import textwrap
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional
from urllib.parse import quote

from .. import checks, whole_files
from . import rsa
from .certificates import Certificate, CertificateSpec, issue

ROOT = "Azure IMDS Emulator Root"
INTERMEDIATE = "Azure IMDS Emulator RSA CA 02"
UNTRUSTED_ROOT = "Azure IMDS Emulator Untrusted Root"

# Where the genuine ones say that the certificate of their issuer lies.
SITES = ("www.microsoft.com", "caissuers.microsoft.com")
FOLDER = ("pkiops", "certs")

DAY = 24 * 3600
BEFORE, AFTER = 30 * DAY, 10 * 365 * DAY  # validity of a CA around the time of its creation
KEYS = ("root", "intermediate", "leaf")
FILE = "ca.json"


@dataclass(frozen=True)
class _Foundation:
    """What everything follows from: a time in Unix seconds, and KEYS."""

    created: int
    keys: Mapping[str, rsa.Key]


class Authority:
    """``directory`` keeps the CA for the next start, beside ``root.pem`` and ``intermediate.pem``; None: a new CA."""

    def __init__(self, directory: Optional[Path] = None, clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._foundation: Optional[_Foundation] = None
        self._impostor_key: Optional[rsa.Key] = None

    def prepare(self) -> None:
        """Make the CA now rather than when it is first needed.

        :raises InvalidInputError, OSError: if the directory cannot be used
        """
        shown = {"root.pem": pem(self.root()), "intermediate.pem": pem(self.intermediate())}
        paths = {self._directory / name: content for name, content in shown.items()} if self._directory else {}
        for path, content in paths.items():
            if not path.exists() or path.read_bytes() != content:
                whole_files.write(path, content, 0o644)

    def root(self) -> Certificate:
        """The one to trust."""
        return _root(self._founded())

    def intermediate(self) -> Certificate:
        """Issued by the root; it issues the leaves."""
        return _intermediate(self._founded())

    def untrusted_root(self) -> Certificate:
        """Nobody has a reason to trust it; it is not kept."""
        return issue(_ca(UNTRUSTED_ROOT, self._founded().created), self.impostor_key())

    def leaf(self, spec: CertificateSpec, untrusted: bool = False) -> Certificate:
        """The certificate of a document's signer."""
        issuer = self.untrusted_root() if untrusted else self.intermediate()
        return issue(spec, self._founded().keys["leaf"], issuer)

    def token_signer(self, name: str) -> Certificate:
        """The certificate of who signs access tokens; always the same."""
        return self.leaf(_ca(name, self._founded().created, names=(name,)))

    def impostor(self, spec: CertificateSpec) -> Certificate:
        """A certificate of the intermediate for someone else's key."""
        return issue(spec, self.impostor_key(), self.intermediate())

    def impostor_key(self) -> rsa.Key:
        """The key of who only pretends."""
        with self._lock:
            self._impostor_key = self._impostor_key or rsa.generate()
            return self._impostor_key

    def find(self, path: tuple[str, ...]) -> Optional[Certificate]:
        """The CA certificate that lies at this path (decoded) of the SITES."""
        if path[:-1] != FOLDER:
            return None
        published = {ROOT: self.root, INTERMEDIATE: self.intermediate, UNTRUSTED_ROOT: self.untrusted_root}
        return next((make() for name, make in published.items() if path[-1] == f"{name}.crt"), None)

    def _founded(self) -> _Foundation:
        with self._lock:
            if self._foundation is None:
                self._foundation = _kept(self._directory, self._clock) if self._directory else _new(self._clock)
            return self._foundation


def urls(common_name: str) -> tuple[str, ...]:
    """Where the certificate of this CA lies."""
    return tuple(f"http://{site}/{'/'.join(FOLDER)}/{quote(common_name)}.crt" for site in SITES)


def pem(certificate: Certificate) -> bytes:
    """The certificate as PEM."""
    lines = textwrap.wrap(base64.b64encode(certificate.encoded).decode(), 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")).encode()


def _ca(common_name: str, created: int, **more: Any) -> CertificateSpec:
    return CertificateSpec(common_name, created - BEFORE, created + AFTER, **more)


def _root(foundation: _Foundation) -> Certificate:
    return issue(_ca(ROOT, foundation.created), foundation.keys["root"])


def _intermediate(foundation: _Foundation) -> Certificate:
    spec = _ca(INTERMEDIATE, foundation.created, issuer_urls=urls(ROOT), path_length=0)
    return issue(spec, foundation.keys["intermediate"], _root(foundation))


def _new(clock: Callable[[], float]) -> _Foundation:
    return _Foundation(int(clock()), {name: rsa.generate() for name in KEYS})


def _kept(directory: Path, clock: Callable[[], float]) -> _Foundation:
    """The foundation in the directory; a new one where there is none."""
    path = directory / FILE
    _claim(directory)
    if not path.exists():
        new = _new(clock)
        saved = {"created": new.created, "keys": {name: [key.p, key.q] for name, key in new.keys.items()}}
        with contextlib.suppress(FileExistsError):  # another emulator was faster: its CA is ours as well
            whole_files.write(path, json.dumps(saved).encode(), 0o600, os.link)
    saved = checks.load_json(str(path), _secret(path))
    try:
        keys = {name: rsa.Key(*map(operator.index, saved["keys"][name])) for name in KEYS}
        return _Foundation(operator.index(saved["created"]), keys)
    except (KeyError, TypeError):
        return checks.fail(str(path), "is not a CA of this emulator; remove it to get a new one")


def _claim(directory: Path) -> None:
    """Make the directory, or make sure that nobody else decides what lies in one that is there already."""
    for missing in (*reversed(directory.parents), directory):
        with contextlib.suppress(FileExistsError):
            missing.mkdir(mode=0o755)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        checks.fail(str(directory), "is not a directory but a symbolic link or a file; give the directory's own path")
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & stat.S_IWOTH:
        checks.fail(str(directory), "belongs to another user, or everybody may write there; choose another directory")


def _secret(path: Path) -> bytes:
    """The content of a file that only its owner may read, which is made so where it is not."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            checks.fail(str(path), "is a symbolic link; remove it to get a new CA")
        raise
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            checks.fail(str(path), "is not a file of this user; remove it to get a new CA")
        if stat.S_IMODE(found.st_mode) & ~0o600:
            os.fchmod(descriptor, 0o600)
        return file.read()
