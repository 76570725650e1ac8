# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of an attested document: form, signature, certificates. OpenSSL has the last word."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from azure_imds_emulator.attestation import der, rsa
from azure_imds_emulator.attestation.authority import SITES, Authority, pem
from azure_imds_emulator.attestation.documents import LEAF_DAYS, Documents
from azure_imds_emulator.vms import Vms
from hypothesis import given
from hypothesis import strategies as st

OPENSSL = shutil.which("openssl")
GENUINE = sorted((Path(os.environ.get("IMDS_SHARED", "/nonexistent")) / "attested" / "documents").glob("public-*.b64"))
NOW = 1_795_000_000.0
DAY = 24 * 3600
NEWEST = "2025-04-07"

needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl command is not installed")


@pytest.fixture(name="ca", scope="module")
def _ca() -> Authority:
    return Authority(clock=lambda: NOW)


@pytest.fixture(name="make")
def _make(ca: Authority) -> Callable[..., bytes]:
    """A function that makes a document of a VM with these switches."""

    def make(nonce: str = "1234567890", **attested: Any) -> bytes:
        given = [{"name": "a", "attested": attested}, {"name": "b", "sources": ["127.0.0.11"]}]
        vms = Vms(given)
        vm = vms.named("a")
        assert vm is not None
        return Documents(vms, ca).make(vm, NEWEST, nonce, NOW)

    return make


Node = tuple[int, Any]


def nodes_of(data: bytes) -> list[Node]:
    """Tags with their content: bytes, or the nodes inside. Lengths must be the shortest possible."""
    nodes: list[Node] = []
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
            assert length >= 0x80
            assert data[2] != 0
        content = data[start : start + length]
        assert len(content) == length
        nodes.append((tag, nodes_of(content) if tag & 0x20 else content))
        data = data[start + length :]
    return nodes


def shape(document: bytes) -> list[Any]:
    """Everything around certificate, content and signer's name that every document has alike."""
    ((_tag, (kind, (_outer, ((_data, fields),)))),) = nodes_of(document)
    version, digests, (_sequence, (data, (_content_tag, ((octets, _content),)))), bag, (_set, infos) = fields
    ((_info_tag, (info_version, _name, digest, algorithm, (signature_tag, signature))),) = infos
    return [
        kind, version, digests, data, octets, bag[0], len(bag[1]), info_version, digest, algorithm, signature_tag,
        len(signature),
    ]  # fmt: skip


def wrapped(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    if len(content) < 0x100:
        return bytes([tag, 0x81, len(content)]) + content
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def content_of(document: bytes) -> bytes:
    """The signed JSON; vmId is its last value."""
    return document[document.index(b'{"') : document.index(b'"}', document.index(b'"vmId"')) + 2]


def leaf_of(document: bytes) -> bytes:
    """The encoding of the first certificate."""
    start = document.index(b"\xa0\x82", document.index(b'"vmId"')) + 4
    return document[start : start + 4 + int.from_bytes(document[start + 2 : start + 4], "big")]


def statement_of(certificate: bytes) -> list[Node]:
    """Version, serial, algorithm, issuer, validity, subject, key, extensions (RFC 5280, 4.1)."""
    ((_certificate, ((_statement, fields), _algorithm, _signature)),) = nodes_of(certificate)
    return list(fields)


def test_form_byte_by_byte(ca: Authority, make: Any) -> None:
    document = make()
    leaf, content, signature = leaf_of(document), content_of(document), document[-256:]
    serial = statement_of(leaf)[1][1]
    sha256_with_rsa = bytes.fromhex("300d06092a864886f70d01010b0500")
    rsa_encryption = bytes.fromhex("300d06092a864886f70d0101010500")
    version_1 = b"\x02\x01\x01"
    issuer_and_serial = wrapped(0x30, ca.intermediate().subject, wrapped(0x02, serial))
    info = wrapped(0x30, version_1, issuer_and_serial, sha256_with_rsa, rsa_encryption, b"\x04\x82\x01\x00", signature)
    data = wrapped(0x30, bytes.fromhex("06092a864886f70d010701"), wrapped(0xA0, wrapped(0x04, content)))
    bag = wrapped(0xA0, leaf)
    signed = wrapped(0x30, version_1, wrapped(0x31, sha256_with_rsa), data, bag, wrapped(0x31, info))
    assert document == wrapped(0x30, bytes.fromhex("06092a864886f70d010702"), wrapped(0xA0, signed))


@pytest.mark.skipif(not GENUINE, reason="IMDS_SHARED names no genuine attested documents")
@pytest.mark.parametrize("path", GENUINE, ids=[path.stem for path in GENUINE])
def test_genuine_documents_have_the_same_form(make: Any, path: Path) -> None:
    assert shape(make()) == shape(base64.b64decode(path.read_bytes()))


def test_signature_is_pkcs1_over_the_content(make: Any) -> None:
    document = make()
    content = content_of(document)
    subject_key = statement_of(leaf_of(document))[6][1][1][1]
    (_modulus_tag, modulus), (_exponent_tag, exponent) = nodes_of(subject_key[1:])[0][1]
    opened = pow(
        int.from_bytes(document[-256:], "big"), int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")
    )
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(content).digest()
    assert opened.to_bytes(256, "big") == b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info
    assert (len(modulus), modulus[1] >> 7) == (257, 1)


def test_same_input_same_document(make: Any) -> None:
    assert make() == make()
    assert make("2") != make()


@given(st.integers(min_value=0, max_value=1 << 4096))
def test_der_integers_are_minimal(value: int) -> None:
    ((tag, content),) = nodes_of(der.integer(value))
    assert (tag, int.from_bytes(content, "big", signed=True)) == (2, value)
    assert len(content) == 1 or content[0] or content[1] & 0x80


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 64), max_size=8))
def test_object_identifiers(first: int, second: int, rest: list[int]) -> None:
    ((tag, content),) = nodes_of(der.oid(".".join(map(str, (first, second, *rest)))))
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    assert (tag, arcs) == (6, [first * 40 + second, *rest])


@given(st.binary(max_size=70_000))
def test_der_lengths_are_minimal(content: bytes) -> None:
    assert nodes_of(der.octets(content)) == [(4, content)]


@pytest.mark.parametrize(
    ("flags", "encoded"), [((0,), "03020780"), ((0, 2), "030205a0"), ((0, 5, 6), "03020186"), ((7,), "03020001")]
)
def test_named_bits_end_with_the_last_that_is_set(flags: tuple[int, ...], encoded: str) -> None:
    assert der.flags(*flags).hex() == encoded


@pytest.mark.parametrize(
    ("moment", "encoded"), [(0, b"\x17\x0d700101000000Z"), (2524607999, b"\x17\x0d491231235959Z"),
                            (2524608000, b"\x18\x0f20500101000000Z")],
)  # fmt: skip
def test_times_change_their_form_in_2050(moment: int, encoded: bytes) -> None:
    assert der.moment(moment) == encoded


def test_keys_have_2048_bits_and_invert(ca: Authority) -> None:
    for key in (rsa.generate(), ca.root().key, ca.intermediate().key):
        assert key.modulus.bit_length() == 2048
        assert key.p.bit_length() == key.q.bit_length() == 1024
        for number in (key.p, key.q):
            assert all(pow(base, number - 1, number) == 1 for base in (3, 5, random.randrange(7, 1 << 64)))


def openssl(place: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(OPENSSL), *arguments], cwd=place, capture_output=True, timeout=30, check=False)


@pytest.fixture(name="place")
def _place(tmp_path: Path, ca: Authority) -> Path:
    (tmp_path / "ca.pem").write_bytes(pem(ca.root()) + pem(ca.intermediate()))
    (tmp_path / "intermediate.pem").write_bytes(pem(ca.intermediate()))
    (tmp_path / "root.pem").write_bytes(pem(ca.root()))
    return tmp_path


def accepts(place: Path, document: bytes, chain: bool = True, now: float = NOW) -> bool:
    """Whether OpenSSL does; without ``chain`` it looks at the signature alone."""
    (place / "document.der").write_bytes(document)
    how = ["-purpose", "sslserver", "-x509_strict", "-CAfile", "ca.pem", "-no-CApath", "-attime", str(int(now))]
    run = openssl(
        place, "cms", "-verify", "-inform", "DER", "-binary", "-in", "document.der", "-out", "content",
        *(how if chain else ["-noverify"]),
    )  # fmt: skip
    return run.returncode == 0


# Switches -> whether OpenSSL accepts the signature, and signature and chain. It looks at no name, nonce or age.
OPINIONS: list[tuple[dict[str, Any], bool, bool]] = [
    ({}, True, True),
    ({"cached_nonce": True}, True, True),
    ({"relayed_from": "b"}, True, True),
    ({"age": 100_000}, True, True),
    ({"wrong_name": True}, True, True),
    ({"missing_issuer": True}, True, True),  # it has the intermediate from a file
    ({"genuine_first": True}, True, True),
    ({"altered": True}, False, False),
    ({"wrong_signer": True}, False, False),
    ({"expired_leaf": True}, True, False),
    ({"future_leaf": True}, True, False),
    ({"untrusted_root": True}, True, False),
]


@needs_openssl
@pytest.mark.parametrize(("switches", "signature", "chain"), OPINIONS, ids=[str(case[0]) for case in OPINIONS])
def test_openssl_on_every_switch(place: Path, make: Any, switches: Any, signature: bool, chain: bool) -> None:
    document = make(**switches)
    assert accepts(place, document, chain=False) == signature
    assert accepts(place, document) == chain
    if signature:
        assert (place / "content").read_bytes() in document


@needs_openssl
def test_leaf_lives_180_days(place: Path, make: Any) -> None:
    lives = [day for day in range(-5, LEAF_DAYS + 5) if day % 30 < 2 or day < 0]
    found = {day: accepts(place, make(), now=NOW + day * DAY) for day in lives}
    assert [day for day, good in found.items() if good] == [day for day in lives if -1 <= day < LEAF_DAYS - 1]


@needs_openssl
def test_the_trap_for_verifiers_that_look_at_the_first_certificate(place: Path, make: Any) -> None:
    """Signature good, first certificate genuine, and yet nothing of it is."""
    document = make(genuine_first=True)
    (place / "document.der").write_bytes(document)
    printed = openssl(place, "pkcs7", "-inform", "DER", "-in", "document.der", "-print_certs").stdout
    (place / "first.pem").write_bytes(printed)  # whoever reads it takes the first one
    names = openssl(place, "x509", "-in", "first.pem", "-noout", "-ext", "subjectAltName").stdout
    assert b"DNS:metadata.azure.com" in names
    verified = openssl(place, "verify", "-CAfile", "ca.pem", "-attime", str(int(NOW)), "first.pem")
    assert verified.returncode == 0
    assert accepts(place, document, chain=False)


def text_of(place: Path, certificate: bytes, form: str = "DER") -> str:
    (place / "certificate").write_bytes(certificate)
    run = openssl(place, "x509", "-in", "certificate", "-inform", form, "-noout", "-text", "-nameopt", "RFC2253")
    assert run.returncode == 0, run.stderr
    return run.stdout.decode()


def value_of(text: str, extension: str) -> Optional[list[str]]:
    """The lines below the extension's title, with "critical" in front where it is."""
    lines = text.splitlines()
    found = next((i for i, line in enumerate(lines) if line.strip().startswith(extension + ":")), None)
    if found is None:
        return None
    depth = len(lines[found]) - len(lines[found].lstrip())
    critical = ["critical"] if "critical" in lines[found] else []
    value = []
    for line in lines[found + 1 :]:
        if len(line) - len(line.lstrip()) <= depth:
            break
        value.append(line.strip())
    return critical + value


@needs_openssl
def test_extensions_as_openssl_reads_them(place: Path, ca: Authority, make: Any) -> None:
    leaf = text_of(place, leaf_of(make()))
    intermediate = text_of(place, pem(ca.intermediate()), "PEM")
    root = text_of(place, pem(ca.root()), "PEM")
    folder = "pkiops/certs/Azure%20IMDS%20Emulator%20"

    assert value_of(leaf, "X509v3 Subject Alternative Name") == [
        "DNS:westeurope.metadata.azure.com, DNS:metadata.azure.com"
    ]
    assert value_of(leaf, "X509v3 Extended Key Usage") == ["TLS Web Server Authentication"]
    assert value_of(leaf, "X509v3 Basic Constraints") == ["critical", "CA:FALSE"]
    assert value_of(leaf, "X509v3 Key Usage") == ["critical", "Digital Signature, Key Encipherment"]
    assert value_of(leaf, "Authority Information Access") == [
        f"CA Issuers - URI:http://{site}/{folder}RSA%20CA%2002.crt" for site in SITES
    ]
    assert "Subject: CN=metadata.azure.com," in leaf
    assert value_of(intermediate, "X509v3 Basic Constraints") == ["critical", "CA:TRUE, pathlen:0"]
    assert value_of(root, "X509v3 Basic Constraints") == ["critical", "CA:TRUE"]
    for text in (intermediate, root):
        assert value_of(text, "X509v3 Key Usage") == ["critical", "Digital Signature, Certificate Sign, CRL Sign"]
    assert value_of(intermediate, "Authority Information Access") == [
        f"CA Issuers - URI:http://{site}/{folder}Root.crt" for site in SITES
    ]
    above = [value_of(text, "X509v3 Authority Key Identifier") for text in (leaf, intermediate)]
    subjects = [value_of(text, "X509v3 Subject Key Identifier") for text in (intermediate, root)]
    # Some releases write "keyid:" in front.
    assert [[line.replace("keyid:", "") for line in value or []] for value in above] == subjects
    assert len({text.split("Serial Number:")[1].split("Signature")[0] for text in (leaf, intermediate, root)}) == 3


@needs_openssl
def test_every_ca_certificate_is_strictly_good(place: Path, ca: Authority) -> None:
    strictly = ["verify", "-x509_strict", "-attime", str(int(NOW)), "-CAfile", "root.pem"]
    assert openssl(place, *strictly, "intermediate.pem").returncode == 0
    assert openssl(place, *strictly, "root.pem").returncode == 0
    (place / "other.pem").write_bytes(pem(ca.untrusted_root()))
    assert openssl(place, *strictly, "other.pem").returncode != 0
