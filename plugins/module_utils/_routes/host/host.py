# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's commands and files, in one place so that tests can bring their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

# Runs a command in the C locale: rc, standard output, standard error. A command that is not there has rc 127.
Run = Callable[[Sequence[str]], tuple[int, str, str]]


class HostError(Exception):
    """A command or a file of the target failed; the text says which, and what it said."""


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

        :raises HostError: where that can't be done; nothing is left behind
        """
        target = self.root + path
        try:
            os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fchmod(file.fileno(), mode)
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            except BaseException:
                os.unlink(temporary)
                raise
        except OSError as error:
            raise HostError(f"{path}: {error.strerror or error}") from error

    def remove(self, path: str) -> None:
        """Remove a file, and the directory it was alone in; fine where it is not there.

        :raises HostError: where that can't be done
        """
        try:
            os.unlink(self.root + path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise HostError(f"{path}: {error.strerror or error}") from error
