# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the archive of a collection reproducible: the same sources give the same bytes, wherever and whenever built.

archive.py ARCHIVE SOURCES

ansible-galaxy stores files in the order of the directory, with the time of the build. Here they are sorted by name, and
all times are that of the sources: ``SOURCE_DATE_EPOCH`` (seconds since 1970, as reproducible-builds.org defines it) or,
where that is not set, the time of the last commit.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

MANIFEST, FILES = "MANIFEST.json", "FILES.json"
# What ansible-galaxy writes first, and installs from.
FIRST = (MANIFEST, FILES)


class ArchiveError(Exception):
    """The archive is not one that ansible-galaxy wrote."""


def source_time(sources: Path) -> int:
    """Seconds since 1970: ``SOURCE_DATE_EPOCH``, or when the last commit in `sources` was made.

    :raises ArchiveError: if neither is known
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isdecimal():
            raise ArchiveError(f"SOURCE_DATE_EPOCH is {given!r}: give whole seconds since 1970")
        return int(given)
    command = ["git", "-C", str(sources), "log", "-1", "--format=%ct"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise ArchiveError("set SOURCE_DATE_EPOCH (seconds since 1970): git knows no commit here")
    return int(asked.stdout)


def normalise(archive: bytes, time: int) -> bytes:
    """The same archive with files sorted by name and all times set to `time`.

    :raises ArchiveError: if it is not the archive of a collection
    """
    contents = _read(archive)
    try:
        listed: dict[str, Any] = json.loads(contents[FILES][1])
        manifest: dict[str, Any] = json.loads(contents[MANIFEST][1])
        listed["files"] = sorted(listed["files"], key=lambda entry: str(entry["name"]))
        contents[FILES] = (contents[FILES][0], _json(listed))
        manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[FILES][1]).hexdigest()
        contents[MANIFEST] = (contents[MANIFEST][0], _json(manifest))
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveError(f"not the archive of a collection: {error!r}") from error
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=time) as stream:
        _write(stream, contents, time)
    return packed.getvalue()


def _read(archive: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            return {entry.name: (entry, _content(tar, entry)) for entry in tar.getmembers()}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveError(f"not a .tar.gz: {error}") from error


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry) if entry.isfile() else None
    return file.read() if file else b""


def _write(stream: gzip.GzipFile, contents: dict[str, tuple[tarfile.TarInfo, bytes]], time: int) -> None:
    # The format is named, because the default of tarfile has changed before.
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in (*FIRST, *sorted(set(contents) - set(FIRST))):
            old, content = contents[name]
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = old.type, old.linkname, old.mode
            entry.size, entry.mtime = len(content), time
            tar.addfile(entry, io.BytesIO(content))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1).encode()


def main(archive: Path, sources: Path) -> int:
    try:
        archive.write_bytes(normalise(archive.read_bytes(), source_time(sources)))
    except ArchiveError as error:
        print(f"{archive}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
