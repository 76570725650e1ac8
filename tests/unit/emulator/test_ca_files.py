# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of the CA may lie where others can write, such as /tmp: nobody can plant or read its keys."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from azure_imds_emulator.attestation import rsa
from azure_imds_emulator.attestation.authority import Authority
from azure_imds_emulator.checks import InvalidInputError


@pytest.fixture(name="key", scope="module")
def _key() -> rsa.Key:
    return rsa.generate()


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch, key: rsa.Key) -> None:
    monkeypatch.setattr(rsa, "generate", lambda: key)


def founded(directory: Path) -> None:
    Authority(directory).prepare()


def refusal(directory: Path) -> str:
    with pytest.raises(InvalidInputError) as caught:
        founded(directory)
    return str(caught.value)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        founded(tmp_path / "new" / "ca")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "ca" / "ca.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new" / "ca").stat().st_mode) == 0o755


def test_keys_that_others_may_read_are_locked_again(tmp_path: Path) -> None:
    founded(tmp_path)
    (tmp_path / "ca.json").chmod(0o644)
    founded(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca.json").stat().st_mode) == 0o600


def test_a_link_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ca").symlink_to("elsewhere")
    assert "symbolic link" in refusal(tmp_path / "ca")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_place_of_the_keys(tmp_path: Path) -> None:
    founded(tmp_path / "other")
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "ca.json").symlink_to(tmp_path / "other" / "ca.json")
    assert "symbolic link" in refusal(tmp_path / "ca")


def test_a_dangling_link_in_place_of_the_keys(tmp_path: Path) -> None:
    (tmp_path / "ca.json").symlink_to(tmp_path / "planted")
    assert "symbolic link" in refusal(tmp_path)
    assert not (tmp_path / "planted").exists()


def test_a_directory_where_everybody_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert "another directory" in refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else(tmp_path: Path) -> None:
    founded(tmp_path)
    os.chown(tmp_path / "ca.json", 65534, 65534)
    assert "is not a file of this user" in refusal(tmp_path)
    os.chown(tmp_path, 65534, 65534)
    assert "another directory" in refusal(tmp_path)
