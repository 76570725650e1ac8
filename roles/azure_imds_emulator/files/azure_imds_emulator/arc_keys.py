# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key files of the agent of an Azure Arc machine: it gives tokens only to those who may read them."""

from __future__ import annotations

import base64
import contextlib
import grp
import hmac
import os
import secrets
import threading
import uuid
from pathlib import Path

from . import whole_files

DIRECTORY = Path("/var/opt/azcmagent/tokens")  # clients accept no other
GROUP = "himds"
MOST = 100  # keys that wait for an answer


class ArcKeys:
    """One-time keys in files of a directory, which is made when the first one is needed."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._waiting: dict[str, Path] = {}

    def challenge(self) -> str:
        """A new key; where its file lies.

        :raises OSError: if it cannot be written
        """
        key = base64.b64encode(secrets.token_bytes(48)).decode()
        path = self.directory / f"{uuid.uuid4()}.key"
        self.directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        whole_files.write(path, key.encode(), 0o640, _place)
        with self._lock:
            self._waiting[key] = path
            excess = list(self._waiting)[:-MOST]
            late = [self._waiting.pop(each) for each in excess]
        _remove(late)
        return str(path)

    def accepts(self, authorization: str) -> bool:
        """Whether this header answers a challenge. Each key is good for one request."""
        scheme, _space, given = authorization.strip().partition(" ")
        with self._lock:
            found = [key for key in self._waiting if hmac.compare_digest(key.encode(), given.strip().encode())]
            used = [self._waiting.pop(key) for key in found] if scheme.lower() == "basic" else []
        _remove(used)
        return bool(used)

    def clear(self) -> None:
        """Remove all key files."""
        with self._lock:
            left = list(self._waiting.values())
            self._waiting.clear()
        _remove(left)


def _place(partial: Path, path: Path) -> None:
    """Readable for the agent's group, where the system has it."""
    with contextlib.suppress(KeyError, PermissionError):
        os.chown(partial, -1, grp.getgrnam(GROUP).gr_gid)
    partial.replace(path)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
