# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's commands and files, in one place so that tests can bring their own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

# Runs a command in the C locale: rc, standard output, standard error. A command that is not there has rc 127.
Run = Callable[[Sequence[str]], tuple[int, str, str]]


class HostError(Exception):
    """A command or a file of the target failed; the text says which, and what it said."""


class DeviceGoneError(HostError):
    """The network interface that an operation is about no longer exists, so there is nothing to change on it."""


class Host(NamedTuple):
    """``root`` is put before every path, for tests."""

    run: Run
    root: str = ""

    def command(self, *argv: str) -> str:
        """Standard output of a command that has to work.

        :raises HostError: where it does not
        """
        rc, out, err = self.run(argv)
        if rc:
            raise HostError(f"{' '.join(argv)}: {err.strip() or out.strip() or f'exit code {rc}'}")
        return out

    def read_text(self, path: str) -> Optional[str]:
        """A file's text; ``None`` where it can't be read."""
        try:
            with open(self.root + path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is something under that path."""
        return os.path.exists(self.root + path)

    def names(self, directory: str) -> list[str]:
        """What a directory holds; nothing where it is not there."""
        try:
            return sorted(os.listdir(self.root + directory))
        except OSError:
            return []

    def write(self, path: str, text: str, mode: int) -> None:
        """Put a file in place at once, on disk: a reader sees the old one or the new one, after a crash too.

        The new text waits under a name of its own, which nobody reads and the next write or removal clears away.

        :raises HostError: where that can't be done; nothing is left behind
        """
        target = self.root + path
        temporary = _waiting(target)
        try:
            os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
            _unlink(temporary)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fchmod(file.fileno(), mode)
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            except BaseException:
                _unlink(temporary)
                raise
        except OSError as error:
            raise HostError(f"{path}: {error.strerror or error}") from error

    def remove(self, path: str) -> None:
        """Remove a file, and what a killed write of it left; fine where it is not there.

        :raises HostError: where that can't be done
        """
        try:
            _unlink(_waiting(self.root + path))
            _unlink(self.root + path)
        except OSError as error:
            raise HostError(f"{path}: {error.strerror or error}") from error


def _waiting(path: str) -> str:
    """Begins with a dot and has no ending: run-parts, netplan and networkd all pass it over."""
    return os.path.join(os.path.dirname(path), f".imds-azure-new-{os.path.basename(path).replace('.', '-')}")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
