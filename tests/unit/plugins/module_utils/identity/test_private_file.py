# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with secrets: who may read them, where they may lie, and that they are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import private_file
from ansible_collections.imds.azure.plugins.module_utils._identity.private_file import Access, PrivateFile, access
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

PRIVATE = Access(0o600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "secrets"
    found.mkdir(mode=0o700)
    return found


def store(path: Path, content: bytes = b"secret", allowed: Access = PRIVATE, check: bool = False) -> bool:
    with PrivateFile(str(path), allowed) as file:
        return file.store(content, check)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        assert store(folder / "token")
    finally:
        os.umask(before)
    assert (folder / "token").read_bytes() == b"secret"
    assert mode_of(folder / "token") == 0o600
    assert [path.name for path in folder.iterdir()] == ["token"]


def test_the_same_content_changes_nothing(folder: Path) -> None:
    store(folder / "token")
    before = (folder / "token").stat()
    assert not store(folder / "token")
    assert (folder / "token").stat() == before
    assert store(folder / "token", b"another")
    assert (folder / "token").read_bytes() == b"another"


def test_check_mode_writes_nothing(folder: Path) -> None:
    assert store(folder / "token", check=True)
    assert list(folder.iterdir()) == []
    store(folder / "token")
    (folder / "token").chmod(0o644)
    assert store(folder / "token", check=True)
    assert mode_of(folder / "token") == 0o644


def test_access_that_became_too_wide_is_put_right(folder: Path) -> None:
    store(folder / "token")
    (folder / "token").chmod(0o644)
    inode = (folder / "token").stat().st_ino
    assert store(folder / "token")
    assert (mode_of(folder / "token"), (folder / "token").stat().st_ino) == (0o600, inode)
    assert store(folder / "token", allowed=Access(0o640))
    assert mode_of(folder / "token") == 0o640


def test_a_link_is_replaced_and_not_followed(folder: Path) -> None:
    other = folder / "other"
    other.write_bytes(b"secret")
    (folder / "token").symlink_to(other)
    assert store(folder / "token", b"new")
    assert not (folder / "token").is_symlink()
    assert (other.read_bytes(), (folder / "token").read_bytes()) == (b"secret", b"new")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_of_another_user_is_replaced_and_given_to_the_owner(folder: Path) -> None:
    store(folder / "token")
    os.chown(folder / "token", 65534, 65534)
    with PrivateFile(str(folder / "token"), PRIVATE) as file:
        found = file.read()
        assert found
        assert found.content is None
    assert store(folder / "token")
    assert (folder / "token").stat().st_uid == 0
    assert store(folder / "token", allowed=Access(0o640, 65534, 65534))
    assert ((folder / "token").stat().st_uid, (folder / "token").stat().st_gid) == (65534, 65534)
    assert not store(folder / "token", allowed=Access(0o640, 65534, 65534))


def test_a_failure_leaves_the_old_file_and_nothing_else(folder: Path, monkeypatch: Any) -> None:
    store(folder / "token", b"old")

    def refuse(*_args: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace", "fchmod"):
        with monkeypatch.context() as broken:
            broken.setattr(os, name, refuse)
            with pytest.raises(OptionError, match=r"dest: .*No space left"):
                store(folder / "token", b"new")
        assert [path.name for path in folder.iterdir()] == ["token"]
        assert (folder / "token").read_bytes() == b"old"


def test_what_is_written_was_never_readable_for_others(folder: Path, monkeypatch: Any) -> None:
    """At the moment the content goes in, owner and mode are final."""
    seen: list[int] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor)

    opened: list[int] = []
    real_open = os.open

    def watch(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        if flags & os.O_CREAT:
            opened.append(mode)
            assert flags & os.O_EXCL
        return real_open(path, flags, mode, **more)

    monkeypatch.setattr(os, "fsync", look)
    monkeypatch.setattr(os, "open", watch)
    store(folder / "token", allowed=Access(0o640))
    assert (opened, seen[0]) == ([0o600], 0o640)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o703])
def test_a_directory_that_everybody_may_write_to_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(OptionError, match="dest: everybody may write to"):
        store(folder / "token")
    assert list(folder.iterdir()) == []


def test_a_directory_that_everybody_can_replace_is_refused(folder: Path) -> None:
    (folder / "inner").mkdir(mode=0o700)
    folder.chmod(0o777)
    with pytest.raises(OptionError, match="replace the directory"):
        store(folder / "inner" / "token")
    folder.chmod(0o1777)  # as /tmp: only its owner may replace what is in it
    assert store(folder / "inner" / "token")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/token", "does not exist"),
        ("file/token", "does not exist"),
        ("directory", "is a directory"),
        ("pipe", "not a regular file"),
        ("", "not the absolute path of a file"),
    ],
)
def test_other_places_are_refused(folder: Path, name: str, words: str) -> None:
    (folder / "file").write_text("x")
    (folder / "directory").mkdir()
    os.mkfifo(folder / "pipe")
    with pytest.raises(OptionError, match=f"dest: .*{words}"):
        PrivateFile(f"{folder}/{name}", PRIVATE)


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(OptionError, match=r"dest: .*absolute"):
        PrivateFile("token", PRIVATE)


def test_the_directory_stays_the_one_that_was_checked(folder: Path) -> None:
    """Another one in its place gets nothing."""
    with PrivateFile(str(folder / "token"), PRIVATE) as file:
        folder.rename(folder.with_name("moved"))
        folder.mkdir(mode=0o777)
        file.store(b"secret")
    assert list(folder.iterdir()) == []
    assert (folder.with_name("moved") / "token").read_bytes() == b"secret"


def test_a_huge_file_is_not_read(folder: Path) -> None:
    (folder / "token").write_bytes(b"x" * (1024 * 1024 + 1))
    (folder / "token").chmod(0o600)
    with PrivateFile(str(folder / "token"), PRIVATE) as file:
        found = file.read()
    assert found
    assert found.content is None


def test_no_descriptor_is_left_open(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    store(folder / "token")
    store(folder / "token")
    for path in ("missing/token", "", "."):
        with pytest.raises(OptionError):
            PrivateFile(f"{folder}/{path}", PRIVATE)
    assert len(os.listdir("/proc/self/fd")) == before


def test_who_may_read() -> None:
    assert vars(access({})) == {"mode": 0o600, "owner": None, "group": None}
    assert vars(access({"mode": "640", "owner": "root", "group": "12345"})) == {
        "mode": 0o640,
        "owner": 0,
        "group": 12345,
    }


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"mode": "0644"}, "mode"),
        ({"mode": "0601"}, "mode"),
        ({"mode": "384"}, "mode"),  # what YAML makes of 0600
        ({"mode": "4600"}, "mode"),
        ({"mode": "u=rw"}, "mode"),
        ({"owner": "no-such-user"}, "owner"),
        ({"group": "no-such-group"}, "group"),
    ],
    ids=str,
)
def test_bad_access_names_the_option(params: dict[str, Any], name: str) -> None:
    with pytest.raises(OptionError) as caught:
        access(params)
    assert caught.value.option == name


def test_a_user_who_may_not_give_files_away_is_told_so(folder: Path, monkeypatch: Any) -> None:
    def refuse(_descriptor: int, owner: int, group: int) -> None:
        if (owner, group) != (-1, -1):
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    for allowed, name in ((Access(0o600, 1), "owner"), (Access(0o600, None, 1), "group")):
        with pytest.raises(OptionError) as caught:
            store(folder / "token", allowed=allowed)
        assert caught.value.option == name
    assert list(folder.iterdir()) == []
    assert private_file.MODE == "0600"
