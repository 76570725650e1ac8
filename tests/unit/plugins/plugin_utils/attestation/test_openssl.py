# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSL as a second opinion on our own documents: signature, chain and time (it knows no metadata names)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import (
    NAMES,
    NOW,
    hierarchy,
    make_key,
    make_leaf,
)
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import SOON, judge
from cryptography.x509.oid import ExtendedKeyUsageOID

OPENSSL = shutil.which("openssl")

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="the openssl command is not installed")


def impostor_document() -> bytes:
    tree = hierarchy()
    fake = make_leaf(issuer=tree.other_root, key=make_key("impostor", 2048))
    return docs.envelope(docs.content(), [tree.leaf.der, fake.der], [docs.signer_info(fake, docs.content())])


CASES: dict[str, tuple[bool, Callable[[], bytes]]] = {
    "Azure's form": (True, docs.document),
    "plain digest": (True, lambda: docs.document(digest_oid=docs.DIGESTS["sha256"])),
    "SHA-384": (True, lambda: docs.document(digest="sha384", digest_oid=docs.DIGESTS["sha384"])),
    "signed attributes": (
        True,
        lambda: docs.document(digest_oid=docs.DIGESTS["sha256"], attributes=docs.standard_attributes(docs.content())),
    ),
    "signer by key identifier": (True, lambda: docs.document(by_key_identifier=True)),
    "flipped vmId": (False, lambda: docs.document().replace(b'"vmId":"0', b'"vmId":"1')),
    "genuine certificate in the bag, other signer": (False, impostor_document),
    "unknown CA": (
        False,
        lambda: docs.document(
            signer=make_leaf(issuer=hierarchy().other_root, key=make_key("impostor", 2048), names=NAMES)
        ),
    ),
    "expired leaf": (False, lambda: docs.document(signer=make_leaf(not_after=NOW))),
    "client authentication only": (
        False,
        lambda: docs.document(signer=make_leaf(usages=[ExtendedKeyUsageOID.CLIENT_AUTH])),
    ),
    "attributes of another content": (
        False,
        lambda: docs.document(digest_oid=docs.DIGESTS["sha256"], attributes=docs.standard_attributes(b"{}")),
    ),
}


@pytest.mark.parametrize(("genuine", "make"), CASES.values(), ids=CASES)
def test_openssl_agrees(tmp_path: Path, genuine: bool, make: Callable[[], bytes]) -> None:
    tree = hierarchy()
    (tmp_path / "document.der").write_bytes(make())
    (tmp_path / "ca.pem").write_bytes(tree.old_root.pem + tree.cross.pem + tree.issuing.pem)
    run = subprocess.run(
        [
            str(OPENSSL), "cms", "-verify", "-inform", "DER", "-binary", "-purpose", "sslserver",
            "-in", "document.der", "-CAfile", "ca.pem", "-no-CApath", "-attime", str(int(SOON.timestamp())),
            "-out", "content",
        ],
        cwd=tmp_path, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert (run.returncode == 0) == genuine == judge(make()).verified, run.stderr.decode()
    if genuine:
        assert (tmp_path / "content").read_bytes() == docs.content()
