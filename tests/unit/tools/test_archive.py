# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive that comes out the same wherever it is built, and its bill of materials."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.tests.tools import archive, sbom

TIME = 1_790_000_000
CONTENT = {
    "README.md": b"# a collection\n",
    "meta/runtime.yml": b'requires_ansible: ">=2.16.0"\n',
    "meta/ee-requirements.txt": b"# beside ansible-core\ncryptography>=42\nrequests\n",
    "tests/run": b"#!/bin/sh\n",
}
ABOUT = {
    "namespace": "imds",
    "name": "azure",
    "version": "1.2.3",
    "description": "what it is",
    "repository": "https://example.org/imds/azure",
}


def built(order: list[str], time: int) -> bytes:
    """An archive such as ansible-galaxy writes, with the files in that order."""
    listed = [
        {"name": name, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": hashlib.sha256(content).hexdigest()}
        for name in order
        if (content := CONTENT[name])
    ]
    files = json.dumps({"files": listed, "format": 1}, indent=True).encode()
    manifest = {
        "collection_info": ABOUT,
        "file_manifest_file": {"name": "FILES.json", "chksum_sha256": hashlib.sha256(files).hexdigest()},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (
            ("MANIFEST.json", json.dumps(manifest).encode()),
            ("FILES.json", files),
            *((name, CONTENT[name]) for name in order),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), time, 0o755 if name == "tests/run" else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def read(packed: bytes) -> tuple[list[tarfile.TarInfo], dict[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        entries = tar.getmembers()
        return entries, {entry.name: file.read() for entry in entries if (file := tar.extractfile(entry))}


def test_order_and_time_of_the_build_leave_no_trace() -> None:
    names = list(CONTENT)
    first = archive.normalise(built(names, 1), TIME)
    assert first == archive.normalise(built(names[::-1], 2), TIME)
    assert first != archive.normalise(built(names, 1), TIME + 1)


def test_what_was_archived_is_still_there() -> None:
    entries, contents = read(archive.normalise(built(list(CONTENT)[::-1], 1), TIME))
    assert {name: content for name, content in contents.items() if name in CONTENT} == CONTENT
    assert [entry.name for entry in entries] == ["MANIFEST.json", "FILES.json", *sorted(CONTENT)]
    assert {entry.name: entry.mode for entry in entries}["tests/run"] == 0o755
    assert {entry.mtime for entry in entries} == {TIME}
    manifest = json.loads(contents["MANIFEST.json"])
    assert manifest["file_manifest_file"]["chksum_sha256"] == hashlib.sha256(contents["FILES.json"]).hexdigest()
    assert [entry["name"] for entry in json.loads(contents["FILES.json"])["files"]] == sorted(CONTENT)


@pytest.mark.parametrize(
    "packed",
    [b"", b"not gzip", gzip.compress(b"not tar" * 200), built(list(CONTENT), 1)[:200], gzip.compress(b"")],
    ids=["nothing", "no gzip", "no tar", "cut off", "empty"],
)
def test_what_is_no_archive_of_a_collection_is_refused(packed: bytes) -> None:
    with pytest.raises(archive.ArchiveError):
        archive.normalise(packed, TIME)


def test_the_time_is_the_given_one_or_that_of_the_last_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(TIME))
    assert archive.source_time(tmp_path) == TIME
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(archive.ArchiveError, match="SOURCE_DATE_EPOCH is 'yesterday': give whole seconds"):
        archive.source_time(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(archive.ArchiveError, match="set SOURCE_DATE_EPOCH"):
        archive.source_time(tmp_path)
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{TIME + 1} +0000")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for command in (("init",), (*who, "commit", "--allow-empty", "--message", "one")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    assert archive.source_time(tmp_path) == TIME + 1


@pytest.fixture
def materials(tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "imds-azure-1.2.3.tar.gz"
    file.write_bytes(archive.normalise(built(list(CONTENT), 1), TIME))
    sbom.main(file)
    text = (tmp_path / "imds-azure-1.2.3.cdx.json").read_text()
    assert text == sbom.materials(file), "the same archive gives the same bytes"
    document: dict[str, Any] = json.loads(text)
    document["archive"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return document


def test_the_bill_names_the_archive_and_when_it_was_made(materials: dict[str, Any]) -> None:
    described = materials["metadata"]["component"]
    assert (described["name"], described["version"]) == ("imds.azure", "1.2.3")
    assert described["hashes"] == [{"alg": "SHA-256", "content": materials["archive"]}]
    assert described["licenses"] == [{"expression": "GPL-3.0-or-later"}]
    assert materials["metadata"]["timestamp"].startswith("2026-09-2")


def test_the_bill_lists_each_file_and_each_requirement(materials: dict[str, Any]) -> None:
    files = {entry["name"]: entry["hashes"][0]["content"] for entry in materials["components"] if "hashes" in entry}
    assert files == {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    accepted = {
        entry["name"]: entry["properties"][0]["value"] for entry in materials["components"] if "properties" in entry
    }
    assert accepted == {"ansible-core": ">=2.16.0", "cryptography": ">=42", "requests": "any"}
    (tree,) = (entry["dependsOn"] for entry in materials["dependencies"] if entry["ref"] == "imds.azure")
    assert tree == sorted(accepted)
