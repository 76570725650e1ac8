# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripted server over TLS, with a certificate for localhost that a CA of its own vouches for; and a proxy."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .scripted_server import ScriptedServer, Step

_DAY = datetime.timedelta(days=1)


class Certificates:
    """Files in PEM format: ca, what a client has to trust; chain, the server's certificate and key."""

    def __init__(self, directory: Path) -> None:
        self.ca = directory / "ca.pem"
        self.chain = directory / "server.pem"
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _certificate("root", ca_key.public_key(), "root", ca_key, ca=True)
        self.ca.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        leaf = _certificate("localhost", key.public_key(), "root", ca_key, ca=False)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))

    def context(self) -> ssl.SSLContext:
        """What a server has to speak with."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.chain)
        return made


class TlsServer(ScriptedServer):
    """The same over TLS."""

    def __init__(self, certificates: Certificates, *script: Step) -> None:
        super().__init__(*script)
        self._context = certificates.context()

    def _serve(self, connection: socket.socket, step: Step) -> None:
        connection.settimeout(5)
        try:
            secured = self._context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()  # a client that does not trust us
            return
        super()._serve(secured, step)


def tunnel_to(address: tuple[str, int]) -> Step:
    """What a proxy does after CONNECT: it leads to an address, whatever was asked for."""

    def step(connection: socket.socket, _over: threading.Event) -> None:
        with socket.create_connection(address, 5) as other:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(other, connection), daemon=True)
            back.start()
            _pass_on(connection, other)
            back.join(5)

    return step


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of them has gone


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: str, signer: ec.EllipticCurvePrivateKey, ca: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    own, theirs = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer))
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(theirs)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True)
    )
    if not ca:
        names: list[x509.GeneralName] = [x509.DNSName(name), x509.DNSName("v.vault.azure.net")]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())
