# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with an access control list: who gets in, which directories are refused, and in which order it is done.

The files are real, the accounts and access control lists are told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.tests.windows.core import Core, encoded

ME, BACKUP, READERS, SOMEBODY = (f"S-1-5-21-1-2-3-{number}" for number in (1001, 1002, 1003, 1004))
SYSTEM, ADMINISTRATORS = "S-1-5-18", "S-1-5-32-544"
EVERYONE, USERS, AUTHENTICATED = "S-1-1-0", "S-1-5-32-545", "S-1-5-11"
ACCOUNTS = {"me": ME, "CORP\\backup": BACKUP, "Readers": READERS, "Users": USERS, "SYSTEM": SYSTEM}

# FileSystemRights: FullControl; Read; Write and Delete; ReadAndExecute; Synchronize.
FULL, READ, WRITE, READ_EXECUTE, SYNCHRONIZE = 0x1F01FF, 0x20089, 0x10116, 0x200A9, 0x100000
USUAL = {ME: READ | WRITE, SYSTEM: FULL, ADMINISTRATORS: FULL}
CONTENT = b"a secret"


def guard(owner: str = ME, inherits: bool = False, **entries: int) -> dict[str, Any]:
    """entries: rights by SID, with underscores for hyphens; all of them are allowed."""
    allowed = [[sid.replace("_", "-"), rights, True] for sid, rights in entries.items()]
    return {"owner": owner, "inherits": inherits, "entries": allowed}


def listed(rights: dict[str, int], owner: str = ME, inherits: bool = False) -> dict[str, Any]:
    return {"owner": owner, "inherits": inherits, "entries": [[sid, right, True] for sid, right in rights.items()]}


Store = Callable[..., Any]


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    (tmp_path / "private").mkdir()
    return tmp_path / "private" / "file"


@pytest.fixture
def store(core: Core, dest: Path) -> Store:
    """Store CONTENT; what the harness tells of it."""

    def result(
        path: Optional[str] = None,
        guards: Optional[dict[Path, Any]] = None,
        administrator: bool = True,
        check: bool = False,
        **params: Any,
    ) -> Any:
        disk = {
            "me": ME,
            "administrator": administrator,
            "accounts": ACCOUNTS,
            "guards": {str(place): told for place, told in (guards or {}).items()},
        }
        options = {"dest": str(dest) if path is None else path, "mode": "0600", **params}
        found = core("private_file", params=options, content=encoded(CONTENT), check=check, disk=disk)
        assert not [name for name in os.listdir(dest.parent) if name != dest.name]
        return found

    return result


def entries(found: Any, path: Path) -> dict[str, int]:
    told = found["guards"][str(path)]
    assert told["inherits"] is False
    assert all(allows for _sid, _rights, allows in told["entries"])
    return {sid: rights for sid, rights, _allows in told["entries"]}


def test_a_new_file_is_protected_before_there_is_something_in_it(store: Store, dest: Path) -> None:
    found = store()
    assert (found["changed"], found["trusted"]) == (True, None)
    assert found["log"] == ["protect with 0 bytes", "replace"]
    assert entries(found, dest) == USUAL
    assert dest.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"owner": "CORP\\backup"}, {BACKUP: READ | WRITE, SYSTEM: FULL, ADMINISTRATORS: FULL}),
        ({"owner": "me", "group": "Readers"}, USUAL),
        ({"group": "Readers", "mode": "0640"}, {**USUAL, READERS: READ}),
        ({"group": "Readers", "mode": "660"}, {**USUAL, READERS: READ | WRITE}),
        ({"mode": "0640"}, USUAL),
        ({"mode": "0400"}, {**USUAL, ME: READ}),
        ({"mode": "0500"}, {**USUAL, ME: READ_EXECUTE}),
        ({"mode": ""}, USUAL),
        ({"mode": "0000"}, {SYSTEM: FULL, ADMINISTRATORS: FULL}),
        ({"owner": "SYSTEM"}, {SYSTEM: FULL, ADMINISTRATORS: FULL}),
    ],
    ids=str,
)
def test_who_gets_in(store: Store, dest: Path, params: dict[str, str], expected: dict[str, int]) -> None:
    assert entries(store(**params), dest) == expected


@pytest.mark.parametrize("more", [0, SYNCHRONIZE])
def test_what_is_as_wanted_stays(store: Store, dest: Path, more: int) -> None:
    dest.write_bytes(CONTENT)
    found = store(guards={dest: listed({sid: rights | more for sid, rights in USUAL.items()})})
    assert (found["changed"], found["trusted"], found["log"]) == (False, True, [])


@pytest.mark.parametrize(
    "told",
    [
        listed(USUAL, inherits=True),
        listed({**USUAL, SOMEBODY: READ}),
        listed({**USUAL, ME: READ}),
        listed({SYSTEM: FULL, ADMINISTRATORS: FULL}),
        {**listed(USUAL), "entries": [[sid, rights, sid != ME] for sid, rights in USUAL.items()]},
    ],
    ids=range(5),
)
@pytest.mark.parametrize("check", [False, True])
def test_another_access_is_adjusted(store: Store, dest: Path, told: Any, check: bool) -> None:
    dest.write_bytes(CONTENT)
    found = store(guards={dest: told}, check=check)
    assert (found["changed"], found["trusted"]) == (True, True)
    assert found["log"] == ([] if check else [f"protect with {len(CONTENT)} bytes"])
    if not check:
        assert entries(found, dest) == USUAL


@pytest.mark.parametrize("owner", [ME, SYSTEM, ADMINISTRATORS, SOMEBODY])
def test_the_file_of_another_user_is_replaced(store: Store, dest: Path, owner: str) -> None:
    dest.write_bytes(CONTENT)
    found = store(guards={dest: listed(USUAL, owner=owner)})
    foreign = owner == SOMEBODY
    assert (found["changed"], found["trusted"]) == (foreign, not foreign)
    assert found["guards"][str(dest)]["owner"] == (ME if foreign else owner)


def test_another_content_is_replaced(store: Store, dest: Path) -> None:
    dest.write_bytes(b"old")
    assert store(guards={dest: listed(USUAL)}, check=True)["changed"]
    assert dest.read_bytes() == b"old"
    assert store(guards={dest: listed(USUAL)})["log"] == ["protect with 0 bytes", "replace"]
    assert dest.read_bytes() == CONTENT


def test_check_mode_writes_nothing(store: Store, dest: Path) -> None:
    found = store(check=True)
    assert (found["changed"], found["log"]) == (True, [])
    assert not dest.exists()


# Rights of which one is enough to put a file into a directory, or to put another directory in its place.
@pytest.mark.parametrize("sid", [EVERYONE, USERS, AUTHENTICATED, "S-1-5-7", "S-1-5-4", "S-1-5-2", "S-1-5-32-546"])
@pytest.mark.parametrize(
    ("rights", "refused", "above"),
    [
        (0x2, True, False),  # CreateFiles
        (0x40, True, True),  # DeleteSubdirectoriesAndFiles
        (0x40000, True, True),  # ChangePermissions
        (0x80000, True, True),  # TakeOwnership
        (FULL, True, True),
        (0x301BF, True, False),  # Modify
        (0x4, False, False),  # CreateDirectories
        (READ_EXECUTE, False, False),
    ],
)
def test_directories_that_everybody_may_write_to(
    store: Store, dest: Path, sid: str, rights: int, refused: bool, above: bool
) -> None:
    told = {**guard(), "entries": [[sid, rights, True]]}
    for place, expected in ((dest.parent, refused), (dest.parents[1], above)):
        found = store(guards={place: told})
        assert ("error" in found) == expected, place
        if expected:
            assert found["error"].startswith("dest: everybody may write to ")
            assert (found["log"], dest.exists()) == ([], False)
        dest.unlink(missing_ok=True)


def test_what_is_denied_or_given_to_somebody_does_not_matter(store: Store, dest: Path) -> None:
    told = {**guard(), "entries": [[EVERYONE, FULL, False], [SOMEBODY, FULL, True]]}
    assert store(guards={dest.parent: told, dest.parents[1]: told})["changed"]


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"mode": "0644"}, "mode"),
        ({"mode": "u=rw"}, "mode"),
        ({"mode": "0600\n"}, "mode"),
        ({"owner": "nobody-here"}, "owner"),
        ({"group": "nobody-here"}, "group"),
        ({"group": "Users", "mode": "0640"}, "group"),
        ({"owner": "Users"}, "owner"),
        ({"owner": "CORP\\backup", "administrator": False}, "owner"),
        ({"path": "file"}, "dest"),
        ({"path": "/no/such/directory/file"}, "dest"),
    ],
    ids=str,
)
def test_bad_options(store: Store, dest: Path, params: dict[str, Any], option: str) -> None:
    assert store(**params)["error"].startswith(f"{option}: ")
    assert not dest.exists()


def test_a_directory_is_no_file(store: Store, dest: Path) -> None:
    assert store(path=str(dest.parent))["error"].endswith("is a directory; name a file")


def test_a_failure_says_so(store: Store) -> None:
    assert store(path="/proc/imds")["error"].startswith("dest: /proc/imds can't be written: ")


@pytest.mark.parametrize(
    ("path", "absolute"),
    [
        *((path, True) for path in (r"C:\a", "c:/a/b c.txt", r"\\server\share\a", r"C:\ä\.a")),
        *((path, False) for path in ("", "a", r"\a", "C:a", "C:", "C:\\", "C:\\a\\", r"C:\a:stream", r"\\server\a")),
        *((path, False) for path in (r"\\?\C:\a", r"C:\a|b", "C:\\a\n", "/a", r"HKLM:\a", r"\\server\share", "C:\\a*")),
    ],
)
def test_absolute_paths_of_windows(core: Core, path: str, absolute: bool) -> None:
    assert core("windows_path", path=path) is absolute
