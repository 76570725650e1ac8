# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redirects the connections of a control group's processes by an eBPF program, as Azure's guest proxy agent does.

The program is small enough to be written in the machine's own instructions, so no compiler is needed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from pathlib import Path

from . import namespaces
from .errors import RefusedError

Address = tuple[str, int]

# linux/bpf.h
_PROG_LOAD, _LINK_CREATE = 5, 28
_SOCK_ADDR, _INET4_CONNECT = 18, 10
# struct bpf_sock_addr
_USER_IP4, _USER_PORT = 4, 24
# The system call has another number on each architecture.
_BPF = {"x86_64": 321, "aarch64": 280}
_LOG_BYTES = 65536
_libc = ctypes.CDLL(None, use_errno=True)


class Group:
    """A control group (cgroup v2) below the caller's own, seen through a mount of this mount namespace."""

    def __init__(self, mount: Path, name: str) -> None:
        """
        :raises RefusedError: if this machine allows none
        """
        mount.mkdir(parents=True, exist_ok=True)
        try:
            namespaces.mount("none", mount, "cgroup2")
            self.path = mount / _own_group().lstrip("/") / name
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            raise RefusedError(f"this machine allows no control group (cgroup v2) of our own: {error}") from None

    @property
    def entrance(self) -> Path:
        """The file to which a process writes 0 to join."""
        return self.path / "cgroup.procs"


def remove(group: Path) -> None:
    """Send the processes of a control group back where they came from, then remove it.

    :raises OSError: if a process stays in it
    """
    entrance = group.parent / "cgroup.procs"
    for pid in ["0", *(group / "cgroup.procs").read_text(encoding="ascii").split()]:
        with contextlib.suppress(OSError):  # it has ended
            entrance.write_text(pid, encoding="ascii")
    group.rmdir()


def redirect(group: Path, old: Address, new: Address) -> int:
    """Lead the connections that a group's processes make to ``old`` to ``new``. It ends with the returned descriptor.

    :raises RefusedError: if the kernel refuses
    """
    try:
        target = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
        try:
            program = _load(_instructions(old, new))
            return _bpf(_LINK_CREATE, struct.pack("=4I", program, target, _INET4_CONNECT, 0))
        finally:
            os.close(target)
    except OSError as error:
        raise RefusedError(f"this machine refuses an eBPF program that redirects connections: {error}") from None


def _own_group() -> str:
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        number, _names, path = line.split(":", 2)
        if number == "0":
            return path
    raise OSError(errno.ENOTSUP, "no cgroup v2")


def _instructions(old: Address, new: Address) -> bytes:
    """``if (ip == old.ip && port == old.port) { ip = new.ip; port = new.port; } return 1;``"""
    return b"".join(
        (
            _instruction(0x61, 2, 1, _USER_IP4),  # r2 = r1->user_ip4
            _instruction(0x56, 2, 0, 6, _ip(old)),  # if r2 != old: skip 6
            _instruction(0x61, 2, 1, _USER_PORT),
            _instruction(0x56, 2, 0, 4, _port(old)),
            _instruction(0xB4, 2, 0, 0, _ip(new)),  # r2 = new
            _instruction(0x63, 1, 2, _USER_IP4),  # r1->user_ip4 = r2
            _instruction(0xB4, 2, 0, 0, _port(new)),
            _instruction(0x63, 1, 2, _USER_PORT),
            _instruction(0xB7, 0, 0, 0, 1),  # return 1: go on
            _instruction(0x95),
        )
    )


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    """struct bpf_insn; two registers share a byte, in the order of the machine's bits."""
    registers = target | source << 4 if sys.byteorder == "little" else target << 4 | source
    return struct.pack("=BBhI", code, registers, offset, value)


def _ip(address: Address) -> int:
    return int.from_bytes(socket.inet_aton(address[0]), sys.byteorder)


def _port(address: Address) -> int:
    return socket.htons(address[1])


def _load(instructions: bytes) -> int:
    code = ctypes.create_string_buffer(instructions, len(instructions))
    license_name = ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(_LOG_BYTES)
    places = (ctypes.addressof(code), ctypes.addressof(license_name))
    head = struct.pack("=2I2Q", _SOCK_ADDR, len(instructions) // 8, *places)
    tail = struct.pack("=2IQ2I16s2I", 1, _LOG_BYTES, ctypes.addressof(log), 0, 0, b"", 0, _INET4_CONNECT)
    try:
        return _bpf(_PROG_LOAD, head + tail)
    except OSError as error:
        said = log.value.decode("utf-8", "replace").strip()
        raise OSError(error.errno, f"{error.strerror} {said}".strip()) from None


def _bpf(command: int, attributes: bytes) -> int:
    number = _BPF.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"the number of bpf(2) is not known on {platform.machine()}")
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = int(_libc.syscall(number, command, buffer, len(attributes)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"bpf: {os.strerror(code)}")
    os.set_inheritable(result, False)
    return result
