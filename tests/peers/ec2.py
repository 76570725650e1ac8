# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for EC2's instance metadata service, version 2: a token, and a tree of directories and values.

ec2.py LOG ADDRESS:PORT THROTTLED

Every request is a line of JSON in LOG. The first THROTTLED requests are answered with 429. Needs only Python, because
it runs in the lab's fabric.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Union

INSTANCE_ID = "i-0a1b2c3d4e5f60718"
_MAC = "02:00:5e:00:53:01"
_REGION = "eu-north-1"
_LONGEST = 21600  # seconds that a token may live

Node = Union[str, Mapping[str, "Node"]]

_IDENTITY = {
    "accountId": "111122223333",
    "architecture": "x86_64",
    "availabilityZone": f"{_REGION}a",
    "imageId": "ami-0a1b2c3d4e5f60718",
    "instanceId": INSTANCE_ID,
    "instanceType": "m5.large",
    "privateIp": "10.0.1.10",
    "region": _REGION,
    "version": "2017-09-30",
}
_INTERFACE: Mapping[str, Node] = {
    "device-number": "0",
    "interface-id": "eni-0a1b2c3d4e5f60718",
    "ipv4-associations": {"198.51.100.10": "10.0.1.10"},
    "local-hostname": "ip-10-0-1-10.ec2.internal",
    "local-ipv4s": "10.0.1.10",
    "mac": _MAC,
    "owner-id": "111122223333",
    "public-hostname": "ec2-198-51-100-10.example.com",
    "public-ipv4s": "198.51.100.10",
    "security-group-ids": "sg-0a1b2c3d4e5f60718",
    "security-groups": "web",
    "subnet-id": "subnet-0a1b2c3d4e5f60718",
    "subnet-ipv4-cidr-block": "10.0.1.0/24",
    "vpc-id": "vpc-0a1b2c3d4e5f60718",
    "vpc-ipv4-cidr-block": "10.0.0.0/16",
    "vpc-ipv4-cidr-blocks": "10.0.0.0/16",
}
# What an instance with one interface, one key and no role has, below /latest.
TREE: Mapping[str, Node] = {
    "meta-data": {
        "ami-id": "ami-0a1b2c3d4e5f60718",
        "ami-launch-index": "0",
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": {"ami": "/dev/xvda", "root": "/dev/xvda"},
        "events": {"maintenance": {"history": "[]", "scheduled": "[]"}},
        "hostname": "ip-10-0-1-10.ec2.internal",
        "instance-action": "none",
        "instance-id": INSTANCE_ID,
        "instance-life-cycle": "on-demand",
        "instance-type": "m5.large",
        "local-hostname": "ip-10-0-1-10.ec2.internal",
        "local-ipv4": "10.0.1.10",
        "mac": _MAC,
        "network": {"interfaces": {"macs": {_MAC: _INTERFACE}}},
        "placement": {
            "availability-zone": f"{_REGION}a",
            "availability-zone-id": "eun1-az1",
            "region": _REGION,
        },
        "profile": "default-hvm",
        "public-hostname": "ec2-198-51-100-10.example.com",
        "public-ipv4": "198.51.100.10",
        "public-keys": {"0": {"openssh-key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample lab"}},
        "reservation-id": "r-0a1b2c3d4e5f60718",
        "security-groups": "web",
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "system": "nitro",
    },
    "dynamic": {
        "instance-identity": {
            "document": json.dumps(_IDENTITY, indent=2),
            "pkcs7": "not signed",
            "rsa2048": "not signed",
            "signature": "not signed",
        }
    },
}


class Answer(NamedTuple):
    """status: of HTTP; text: the body."""

    status: int
    text: str = ""


def find(path: str) -> Node | None:
    """What is at a path, such as ``/latest/meta-data/mac``, or None. Pure."""
    root, *names = [part for part in path.split("/") if part] or [""]
    node: Node = TREE
    for name in names:
        if isinstance(node, str) or name not in node:
            return None
        node = node[name]
    return node if root == "latest" else None


def listing(name: str, directory: Mapping[str, Node]) -> str:
    """A directory as text: a name per line, with a slash behind those of directories. Pure.

    :param name: of the directory; the topmost has no slashes, and that of the keys tells what each one is called
    """
    if name == "latest":
        return "\n".join(directory)
    if name == "public-keys":
        return "\n".join(f"{number}=lab" for number in directory)
    return "\n".join(entry if isinstance(node, str) else f"{entry}/" for entry, node in directory.items())


class Service:
    """The answers. One for the life of the process."""

    def __init__(self, throttled: int) -> None:
        self._tokens: set[str] = set()
        self._left = throttled

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        """
        :param headers: with names in lower case
        """
        if self._left:
            self._left -= 1
            return Answer(429)
        if path == "/latest/api/token":
            return self._token(method, headers)
        if method != "GET":
            return Answer(405)
        if headers.get("x-aws-ec2-metadata-token") not in self._tokens:
            return Answer(401)
        node = find(path)
        if node is None:
            return Answer(404)
        return Answer(200, node if isinstance(node, str) else listing(path.rstrip("/").rpartition("/")[2], node))

    def _token(self, method: str, headers: Mapping[str, str]) -> Answer:
        if method != "PUT":
            return Answer(405)
        if "x-forwarded-for" in headers:
            return Answer(403)
        seconds = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not (seconds.isdecimal() and 1 <= int(seconds) <= _LONGEST):
            return Answer(400)
        token = secrets.token_urlsafe(40)
        self._tokens.add(token)
        return Answer(200, token)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def _reply(self) -> None:
        path = self.path.partition("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.service.answer(self.command, path, headers)
        self.server.tell({"method": self.command, "path": self.path, "status": answer.status})
        body = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # it may have hung up
            self.end_headers()
            self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method
            return self._reply
        raise AttributeError(name)

    def log_message(self, *_arguments: Any) -> None:
        pass


# Clients may hold connections that they do not use.
class _Server(http.server.ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], log: Path, service: Service) -> None:
        super().__init__(address, _Handler)
        self.service = service
        self._log = log

    def tell(self, word: Mapping[str, Any]) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(word) + "\n")


def main(log: str, address: str, throttled: str) -> None:
    host, _colon, port = address.rpartition(":")
    server = _Server((host, int(port)), Path(log), Service(int(throttled)))
    server.tell({"ready": True})
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
