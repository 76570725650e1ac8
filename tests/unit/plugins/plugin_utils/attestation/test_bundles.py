# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Built-in roots in CA bundles, and the index over these."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import bundles
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.certificates import fingerprint
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.roots import Root
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import Party, hierarchy

Scans = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """As in a process that has read no bundle yet."""
    bundles._load_roots.cache_clear()
    yield
    bundles._load_roots.cache_clear()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Party:
    """A root that counts as built in."""
    party = hierarchy().old_root
    sha256 = fingerprint(party.certificate)
    row = Root("Test", "CN=Test Old Root", sha256, *[None] * 4)  # type: ignore[arg-type]
    monkeypatch.setattr(bundles, "BY_FINGERPRINT", {sha256: row})
    return party


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> Scans:
    """The bundles that were read since this was asked last."""
    seen: list[str] = []
    scan = bundles._scan

    def noted(path: str) -> dict[str, bytes]:
        seen.append(path)
        return scan(path)

    monkeypatch.setattr(bundles, "_scan", noted)

    def since() -> list[str]:
        taken = seen[:]
        seen.clear()
        return taken

    return since


def bundle(path: Path) -> bundles.Bundle:
    status = path.stat()
    return bundles.Bundle(str(path), status.st_size, status.st_mtime_ns)


def anew(of: tuple[bundles.Bundle, ...], cache: Path | None) -> list[str]:
    """The fingerprints that a new process finds."""
    bundles._load_roots.cache_clear()
    return [fingerprint(certificate) for certificate in bundles.load_roots(of, str(cache) if cache else None)]


def test_only_the_fingerprint_makes_a_builtin_root(tmp_path: Path, root: Party) -> None:
    tree = hierarchy()
    file = tmp_path / "bundle.pem"
    file.write_bytes(tree.new_root.pem + root.pem + root.pem)
    absent = bundles.Bundle("/nonexistent", 1, 1)
    assert anew((absent, bundle(file)), None) == [fingerprint(root.certificate)]
    file.write_bytes(tree.new_root.pem)
    assert anew((bundle(file),), None) == []


def test_a_bundle_is_read_once(tmp_path: Path, root: Party, scans: Scans) -> None:
    file, cache = tmp_path / "bundle.pem", tmp_path / "cache"
    file.write_bytes(root.pem)
    for expected in ([str(file)], [], []):
        assert anew((bundle(file),), cache) == [fingerprint(root.certificate)]
        assert scans() == expected
    index = cache / bundles.INDEX_NAME
    assert stat.S_IMODE(index.stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


@pytest.mark.parametrize("change", ["size", "mtime", "path", "more"])
def test_a_changed_bundle_is_read_again(tmp_path: Path, root: Party, scans: Scans, change: str) -> None:
    file, cache = tmp_path / "bundle.pem", tmp_path / "cache"
    file.write_bytes(hierarchy().new_root.pem)
    of: tuple[bundles.Bundle, ...] = (bundle(file),)
    assert anew(of, cache) == []
    scans()
    if change == "size":
        file.write_bytes(root.pem)
    elif change == "mtime":
        padded = root.pem.ljust(file.stat().st_size)
        file.write_bytes(padded)
        os.utime(file, ns=(1, 1))
    elif change == "path":
        file = file.rename(tmp_path / "other.pem")
        file.write_bytes(root.pem)
    of = (bundle(file),)
    if change == "more":
        (tmp_path / "more.pem").write_bytes(root.pem)
        of += (bundle(tmp_path / "more.pem"),)
    assert anew(of, cache) == [fingerprint(root.certificate)]
    assert scans() == [one.path for one in of]


def test_another_releases_roots_make_another_index(
    tmp_path: Path, root: Party, scans: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, cache = tmp_path / "bundle.pem", tmp_path / "cache"
    file.write_bytes(root.pem)
    with monkeypatch.context() as patch:
        patch.setattr(bundles, "BY_FINGERPRINT", {})
        assert anew((bundle(file),), cache) == []
    scans()
    assert anew((bundle(file),), cache) == [fingerprint(root.certificate)]
    assert scans() == [str(file)]


def test_an_index_is_not_trusted(tmp_path: Path, root: Party, scans: Scans) -> None:
    """Whoever can write to the cache directory makes nothing a root."""
    file, cache = tmp_path / "bundle.pem", tmp_path / "cache"
    file.write_bytes(root.pem)
    anew((bundle(file),), cache)
    index = cache / bundles.INDEX_NAME
    genuine = json.loads(index.read_text())
    foreign = hierarchy().other_root
    encoded = base64.b64encode(foreign.der).decode()
    for roots in (
        {fingerprint(root.certificate): encoded},
        {fingerprint(foreign.certificate): encoded},
        {**genuine["roots"], fingerprint(foreign.certificate): encoded},
    ):
        index.write_text(json.dumps({**genuine, "roots": roots}))
        scans()
        assert anew((bundle(file),), cache) == [fingerprint(root.certificate)]
        assert scans() == [str(file)]


SPOILT = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "deep": b"[" * 100000,
    "huge": b" " * (bundles.MAX_INDEX_BYTES + 1),
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_index_is_replaced(tmp_path: Path, root: Party, scans: Scans, content: bytes) -> None:
    file, cache = tmp_path / "bundle.pem", tmp_path / "cache"
    file.write_bytes(root.pem)
    cache.mkdir()
    (cache / bundles.INDEX_NAME).write_bytes(content)
    for expected in ([str(file)], []):
        assert anew((bundle(file),), cache) == [fingerprint(root.certificate)]
        assert scans() == expected


def test_wrong_types_in_an_index(tmp_path: Path, root: Party) -> None:
    file, cache = tmp_path / "bundle.pem", tmp_path / "cache"
    file.write_bytes(root.pem)
    wrong: list[Any] = [None, [], 5, {"a": 5}, {"a": None}, {"a": "=="}]
    for roots in wrong:
        cache.mkdir(exist_ok=True)
        index = {"of": bundles._contents((bundle(file),)), "roots": roots}
        (cache / bundles.INDEX_NAME).write_text(json.dumps(index))
        assert anew((bundle(file),), cache) == [fingerprint(root.certificate)]


def test_an_index_that_cannot_be_written_costs_time_only(tmp_path: Path, root: Party) -> None:
    file = tmp_path / "bundle.pem"
    file.write_bytes(root.pem)
    assert anew((bundle(file),), file / "no directory") == [fingerprint(root.certificate)]


def test_the_bundles_of_this_controller() -> None:
    found = bundles.find_bundles()
    assert found
    assert len({(status.st_dev, status.st_ino) for status in (os.stat(one.path) for one in found)}) == len(found)
