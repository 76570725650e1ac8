# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loop devices behind a VM's disks: files in the VM's memory, detached when nobody has them open any more."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path

from .errors import RefusedError

# linux/loop.h
_SET_FD, _SET_STATUS64, _GET_FREE = 0x4C00, 0x4C04, 0x4C82
_AUTOCLEAR = 4
# device, inode, rdevice, offset, limit; number, encryption, its key size, flags; names and key; two words.
_INFO = "5Q4I64s64s32s2Q"
_TRIES = 16


def attach(file: Path, size: int) -> tuple[str, str]:
    """Make ``file``, a sparse one of ``size`` bytes, and a loop device of it: (its path, its number as major:minor).

    It lives as long as this process or a mount has it open.

    :raises RefusedError: if this machine lets the lab have none
    """
    with file.open("wb") as backing:
        backing.truncate(size)
    try:
        return _attach(file)
    except OSError as error:
        raise RefusedError(f"this machine lets the lab have no loop device: {error.strerror}") from None


def _attach(file: Path) -> tuple[str, str]:
    backing = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _try in range(_TRIES):
            device = f"/dev/loop{fcntl.ioctl(control, _GET_FREE)}"
            loop = os.open(device, os.O_RDWR)
            try:
                fcntl.ioctl(loop, _SET_FD, backing)
            except OSError as error:
                os.close(loop)
                if error.errno == errno.EBUSY:  # another process was faster
                    continue
                raise
            info = struct.pack(_INFO, *[0] * 8, _AUTOCLEAR, os.fsencode(file)[-63:], b"", b"", 0, 0)
            fcntl.ioctl(loop, _SET_STATUS64, info)
            number = os.fstat(loop).st_rdev
            return device, f"{os.major(number)}:{os.minor(number)}"
        raise OSError(errno.EBUSY, "others take every loop device first")
    finally:
        os.close(control)
        os.close(backing)
