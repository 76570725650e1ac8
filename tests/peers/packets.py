# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes down each IPv4 packet that leaves for an address.

packets.py LOG DEVICE ADDRESS
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

_ALL, _IPV4 = 0x0003, 0x0800  # linux/if_ether.h
_TCP = 6
_LONGEST = 65535


def read(packet: bytes, address: str) -> dict[str, Any] | None:
    """An IPv4 packet: its protocol and, of TCP, the port that it comes from; None if it goes elsewhere. Pure."""
    if len(packet) < 20 or socket.inet_ntoa(packet[16:20]) != address:
        return None
    header = (packet[0] & 0xF) * 4
    port = int.from_bytes(packet[header : header + 2], "big") if packet[9] == _TCP else None
    return {"protocol": packet[9], "port": port}


def main(log: str, device: str, address: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as watch, open(log, "a", encoding="utf-8") as out:
        # A socket for IPv4 alone would not see what leaves.
        watch.bind((device, _ALL))
        print(json.dumps({"ready": True}), file=out, flush=True)
        while True:
            packet, (_device, protocol, kind, *_rest) = watch.recvfrom(_LONGEST)
            word = read(packet, address) if protocol == _IPV4 and kind == socket.PACKET_OUTGOING else None
            if word:
                print(json.dumps(word), file=out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
