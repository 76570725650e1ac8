# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that only its users may read: written in one step, and never readable for anybody else on the way.

The directory is opened once and checked, so that nobody can put another one in its place between check and write.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import stat
from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

MODE = "0600"
# More than any token, and than any secret of a Key Vault.
_MAX_SIZE = 1024 * 1024


class Access:
    """Who may read the file. mode: permission bits; owner, group: IDs, None for those of the process."""

    def __init__(self, mode: int, owner: int | None = None, group: int | None = None) -> None:
        self.mode = mode
        self.owner = owner
        self.group = group


class Found:
    """What is there. content: None where it is not to be trusted, because it is a link or another user's file."""

    def __init__(self, content: bytes | None, as_wanted: bool) -> None:
        self.content = content
        self.as_wanted = as_wanted


def access(params: Mapping[str, Any]) -> Access:
    """Who may read, from the options mode, owner and group.

    :raises OptionError: for a mode that lets everybody in, and for a user or group that does not exist
    """
    return Access(_mode(params.get("mode") or MODE), _owner(params.get("owner")), _group(params.get("group")))


class PrivateFile:
    """A context manager; the directory is checked when it is made.

    :param path: absolute
    :raises OptionError: dest, where the file could not be kept private or can't be written
    """

    def __init__(self, path: str, access: Access) -> None:
        self.path = path
        self._access = access
        self._name = os.path.basename(path)
        self._directory = _open_directory(path)
        try:
            self._refuse_other_kinds()
        except OptionError:
            os.close(self._directory)
            raise

    def __enter__(self) -> PrivateFile:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._directory)

    def read(self) -> Found | None:
        """What is there; None where there is nothing."""
        try:
            descriptor = self._open()
        except FileNotFoundError:
            return None
        except OSError:
            return Found(None, False)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            owner = os.geteuid() if self._access.owner is None else self._access.owner
            own = stat.S_ISREG(status.st_mode) and status.st_uid == owner
            content = file.read(_MAX_SIZE + 1) if own else None
        return Found(None if content is None or len(content) > _MAX_SIZE else content, own and self._fits(status))

    def store(self, content: bytes, check: bool = False) -> bool:
        """Make the content and the access what they should be; whether that changed anything.

        :param check: only say what would change
        :raises OptionError: it can't be done; what was there is untouched then
        """
        found = self.read()
        if found and found.content == content:
            if not found.as_wanted and not check:
                self._adjust()
            return not found.as_wanted
        if not check:
            self._write(content)
        return True

    def _open(self) -> int:
        # Without waiting for the other end, should it be a pipe.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(self._name, flags, dir_fd=self._directory)

    def _refuse_other_kinds(self) -> None:
        try:
            kind = os.stat(self._name, dir_fd=self._directory, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(kind) and not stat.S_ISLNK(kind):
            what = "a directory" if stat.S_ISDIR(kind) else "not a regular file"
            raise OptionError("dest", f"{self.path} is {what}; name a file")

    def _fits(self, status: os.stat_result) -> bool:
        group = self._access.group
        return stat.S_IMODE(status.st_mode) == self._access.mode and group in (None, status.st_gid)

    def _adjust(self) -> None:
        try:
            descriptor = self._open()
            try:
                self._apply(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._failure(error) from None

    def _write(self, content: bytes) -> None:
        temporary = f".{os.urandom(12).hex()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(temporary, flags, 0o600, dir_fd=self._directory)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    self._apply(descriptor)  # first: nobody else may open it once there is something in it
                    file.write(content)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            except BaseException:
                os.unlink(temporary, dir_fd=self._directory)
                raise
            os.fsync(self._directory)
        except OSError as error:
            raise self._failure(error) from None

    def _apply(self, descriptor: int) -> None:
        for option, owner, group in (("owner", self._access.owner, None), ("group", None, self._access.group)):
            try:
                os.fchown(descriptor, -1 if owner is None else owner, -1 if group is None else group)
            except PermissionError:
                raise OptionError(
                    option, f"user {os.geteuid()} may not give {self.path} to that {option}; use become"
                ) from None
        os.fchmod(descriptor, self._access.mode)

    def _failure(self, error: OSError) -> OptionError:
        return OptionError("dest", f"{self.path} can't be written: {error.strerror}")


def _open_directory(path: str) -> int:
    if not os.path.isabs(path) or not os.path.basename(path):
        raise OptionError("dest", f"{path!r} is not the absolute path of a file")
    directory = os.path.dirname(path)
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise OptionError(
                "dest", f"the directory {directory} does not exist; create it first, such as with mode 0700"
            ) from None
        raise OptionError("dest", f"the directory {directory} can't be used: {error.strerror}; use become") from None
    try:
        _check_directory(directory, descriptor)
    except OptionError:
        os.close(descriptor)
        raise
    return descriptor


def _check_directory(directory: str, descriptor: int) -> None:
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise OptionError(
            "dest", f"everybody may write to the directory {directory}; use one that only the file's users may write to"
        )
    above = os.path.dirname(os.path.realpath(directory))
    while True:
        mode = os.stat(above).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise OptionError(
                "dest", f"everybody may write to {above}, and so replace the directory {directory}; use another one"
            )
        if above == os.path.dirname(above):
            break
        above = os.path.dirname(above)
    if not os.access(directory, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise OptionError("dest", f"user {os.geteuid()} may not write to the directory {directory}; use become")


def _mode(text: str) -> int:
    if not re.fullmatch("0?[0-7]{3}", text):
        raise OptionError("mode", f"{text!r} is not an octal mode in quotes, such as '0600' or '0640'")
    mode = int(text, 8)
    if mode & 0o007:
        raise OptionError("mode", f"{text!r} gives everybody access; end it with 0, as in '0600' or '0640'")
    return mode


def _owner(name: str | None) -> int | None:
    if name is None:
        return None
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        if re.fullmatch("[0-9]{1,10}", name):
            return int(name)
        raise OptionError("owner", f"there is no user {name!r} on this host") from None


def _group(name: str | None) -> int | None:
    if name is None:
        return None
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        if re.fullmatch("[0-9]{1,10}", name):
            return int(name)
        raise OptionError("group", f"there is no group {name!r} on this host") from None
