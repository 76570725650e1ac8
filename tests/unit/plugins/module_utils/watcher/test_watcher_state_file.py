# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state file: the old state or the new one, and nothing that is not a state."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._watcher import state_file

STATE: dict[str, Any] = {"watch": {"known": {"a": {"event": {"event_id": "A", "description": "Zürich"}}}}, "due": []}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    assert state_file.read(path) is None
    state_file.write(path, STATE)
    state = state_file.read(path)
    assert state == {"format": state_file.FORMAT, **STATE}
    assert os.listdir(tmp_path) == ["state.json"]
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_interrupted_write_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "state.json")
    state_file.write(path, STATE)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        state_file.write(path, {"watch": {}, "due": []})
    monkeypatch.undo()
    assert (state_file.read(path) or {})["watch"] == STATE["watch"]
    state_file.write(path, {"watch": {}, "due": []})
    assert (state_file.read(path) or {})["watch"] == {}


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="ascii")
    path = tmp_path / "state.json"
    Path(f"{path}.new").symlink_to(victim)
    with pytest.raises(OSError, match=r"."):
        state_file.write(str(path), STATE)
    assert victim.read_text(encoding="ascii") == "precious"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"format": 0, "watch": {}, "due": []}',
        b'{"format": 1}',
        b'{"format": 1, "watch": [], "due": []}',
        b'{"format": 1, "watch": {}, "due": [1]}',
        b'{"format": 1, "watch": {"known": []}, "due": []}',
        b'{"format": 1, "watch": {"known": {"a": 1}}, "due": []}',
        b'{"format": 1, "watch": {"incarnation": "1"}, "due": []}',
        b'{"format": 1, "watch": {"incarnation": true}, "due": []}',
        b'{"format": 1, "watch": {"missed": [1]}, "due": []}',
        b'{"format": 1, "watch": {"missed": "a"}, "due": []}',
        b'{"format": 1, "watch": {}, "due": [{"phase": "new", "event": {"event_id": "a", "A=B": 1}}]}',
        b'{"format": 1, "watch": {}, "due": [{"phase": "new", "event": {"event_id": "a", "": 1}}]}',
        b'{"format": 1, "watch": {}, "due": [{"phase": "new"}]}',
        b'{"format": 1, "watch": {}, "due": [{"phase": "new", "event": {}}]}',
        b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_what_is_no_state(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(state_file.StateError, match="it is not"):
        state_file.read(str(path))
    aside = state_file.set_aside(str(path))
    assert Path(aside).read_bytes() == content
    assert state_file.read(str(path)) is None
