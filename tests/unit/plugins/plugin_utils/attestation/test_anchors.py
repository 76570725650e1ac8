# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import anchors
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import OptionError
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import hierarchy


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_files_in_either_form(tmp_path: Path) -> None:
    tree = hierarchy()
    bundle = write(tmp_path / "bundle.pem", b"# notes\n" + tree.leaf.pem + tree.old_root.pem + tree.new_root.pem)
    single = write(tmp_path / "root.der", tree.other_root.der)
    sources = anchors.load_sources(
        anchors=[bundle, single], builtin_anchors=False, intermediates=write(tmp_path / "ca", tree.issuing.pem)
    )
    assert sources.trust.anchors == tuple(p.certificate for p in (tree.old_root, tree.new_root, tree.other_root))
    assert sources.intermediates == (tree.issuing.certificate,)
    assert sources.fetch is not None


def test_a_broken_block_does_not_spoil_the_others(tmp_path: Path) -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    odd = b"-----BEGIN CERTIFICATE-----\nMAA\n-----END CERTIFICATE-----\n"
    path = write(tmp_path / "bundle.pem", broken + odd + hierarchy().old_root.pem)
    assert anchors.read_certificates("anchors", path) == [hierarchy().old_root.certificate]


KEY = b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
UNUSABLE = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n", "is empty"),
    "text": (b"hello", "no usable CA certificate"),
    "a key only": (KEY, "no usable CA certificate"),
    "zeros": (bytes(1 << 20), "no usable CA certificate"),
    "a leaf only": (hierarchy().leaf.pem, "no usable CA certificate"),
    "a leaf in DER": (hierarchy().leaf.der, "no usable CA certificate"),
    "trailing byte": (hierarchy().old_root.der + b"\0", "no usable CA certificate"),
    "huge": (b"x" * (4 * 1024 * 1024 + 1), "larger than"),
}


@pytest.mark.parametrize("option", ["anchors", "intermediates"])
@pytest.mark.parametrize(("content", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_files_are_named(tmp_path: Path, option: str, content: bytes, message: str) -> None:
    path = write(tmp_path / "ca.pem", content)
    with pytest.raises(OptionError, match=message) as caught:
        anchors.load_sources(**{option: [path]})  # type: ignore[arg-type]
    assert caught.value.option == option
    assert str(caught.value).startswith(f"{option}: {path} ")


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be read on the controller: No such file"):
        anchors.read_certificates("anchors", str(tmp_path / "none.pem"))


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="not a regular file"):
        anchors.read_certificates("anchors", str(tmp_path))


def test_pipe_does_not_hold_us(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OptionError, match="not a regular file"):
        anchors.read_certificates("anchors", str(tmp_path / "pipe"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_forbidden_file(tmp_path: Path) -> None:
    path = write(tmp_path / "ca.pem", hierarchy().old_root.pem)
    os.chmod(path, 0)
    with pytest.raises(OptionError, match="Permission denied"):
        anchors.read_certificates("anchors", path)


def test_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "ca.pem", hierarchy().old_root.pem)
    assert anchors.read_certificates("anchors", "~/ca.pem") == [hierarchy().old_root.certificate]


def test_nothing_to_trust() -> None:
    with pytest.raises(OptionError, match=r"anchors: is needed when builtin_anchors is false"):
        anchors.load_sources(builtin_anchors=False)


def test_without_any_bundle_the_builtin_roots_are_still_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their bytes may come from intermediates, a stored document or the network."""
    monkeypatch.setattr(anchors, "find_bundles", lambda: ())
    trust = anchors.load_sources().trust
    assert trust.anchors == ()
    assert trust.builtin


def test_fetch_option() -> None:
    root = {"builtin_anchors": True}
    assert anchors.load_sources(fetch_intermediates="never", **root).fetch is None  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="fetch_intermediates: sometimes is neither auto nor never"):
        anchors.load_sources(fetch_intermediates="sometimes")
