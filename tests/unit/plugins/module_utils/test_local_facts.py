# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local fact script as a file: what is in it, what counts as the same, and that it runs on its own."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable

import pytest
from ansible_collections.imds.azure.plugins.module_utils import _local_facts as local_facts
from ansible_collections.imds.azure.plugins.module_utils._imds import local_fact, release
from ansible_collections.imds.azure.plugins.module_utils._imds.gather import gather
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings, settings

# Whatever machine the tests run on: the script takes it for another one, and sends nothing.
ELSEWHERE = {"chassis_asset_tag": "none of Azure's"}


def build(options: Mapping[str, Any] = MappingProxyType(ELSEWHERE), python: str = sys.executable) -> bytes:
    return local_facts.build(local_facts.core(), options, python)


def members(script: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(script)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def head_of(script: bytes) -> bytes:
    return script[: script.index(b"PK\x03\x04")]


def rewritten(script: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The script with each member of its archive changed, and a head that fits."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for name, content in members(script).items():
            archive.writestr(zipfile.ZipInfo(name), change(name, content))
    digests = (hashlib.sha256(script[len(head_of(script)) :]), hashlib.sha256(result.getvalue()))
    old, new = (digest.hexdigest().encode() for digest in digests)
    assert old in head_of(script)
    return head_of(script).replace(old, new) + result.getvalue()


def run(script: bytes, directory: Path, python: str | None = None) -> dict[str, Any]:
    """What the script prints in an empty environment; it has to end well and say nothing else."""
    file = directory / "azure_imds.fact"
    file.write_bytes(script)
    file.chmod(0o755)
    command = [python, "-IS", str(file)] if python else [str(file)]
    done = subprocess.run(command, env={}, cwd="/", capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def other_pythons() -> list[str]:
    """Interpreters on the path of another version than this one, as they call themselves, which no wrapper does."""
    found = []
    for minor in range(9, 15):
        python = shutil.which(f"python3.{minor}") if minor != sys.version_info[1] else None
        if python:
            command = [python, "-c", "import sys; print(sys.executable)"]
            found.append(
                subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
            )
    return [python for python in found if python]


def test_the_archive_holds_the_core_and_a_call_of_it() -> None:
    core = local_facts.core()
    content = members(build())
    main = content.pop("__main__.py").decode().splitlines()
    assert main[-1] == f"main({ELSEWHERE!r})"
    assert main.index("gc.disable()") < main.index("from _imds import interpreter")
    assert content.keys() == {f"_imds/{name}{kind}" for name in core for kind in ("", "c")}
    assert {name: content[f"_imds/{name}"] for name in core} == core


def test_the_core_is_its_files() -> None:
    directory = Path(str(local_fact.__file__)).parent
    assert local_facts.core() == {file.name: file.read_bytes() for file in directory.glob("*.py")}


def test_the_archive_is_stored_without_timestamps() -> None:
    with zipfile.ZipFile(io.BytesIO(build())) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_the_order_of_what_is_given_does_not_matter() -> None:
    options = {"detect": "force", "endpoint": "http://127.0.0.1:1"}
    core = local_facts.core()
    backwards = dict(reversed(list(core.items()))), dict(reversed(list(options.items())))
    one, other = local_facts.build(core, options, "/p"), local_facts.build(*backwards, "/p")
    assert local_facts.same(one, other)
    assert list(members(one)) == list(members(other))


@pytest.mark.parametrize("seed", ["1", "2"])
def test_built_from_a_zip_in_another_process_it_is_the_same(tmp_path: Path, seed: str) -> None:
    """As on a managed host, where all that was sent is one zip archive; and set order changes with the seed."""
    package = ["ansible_collections", "imds", "azure", "plugins", "module_utils"]
    payload = tmp_path / "payload.zip"
    with zipfile.ZipFile(payload, "w") as archive:
        for depth in range(len(package)):
            archive.writestr("/".join([*package[: depth + 1], "__init__.py"]), b"")
        for name, content in local_facts.core().items():
            archive.writestr("/".join([*package, "_imds", name]), content)
        archive.writestr("/".join([*package, "_local_facts.py"]), Path(str(local_facts.__file__)).read_bytes())
    code = (
        f"import sys; sys.path.insert(0, {str(payload)!r});"
        f"from {'.'.join(package)} import _local_facts as local_facts;"
        f"sys.stdout.buffer.write(local_facts.build(local_facts.core(), {ELSEWHERE!r}, {sys.executable!r}))"
    )
    environment = {"PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, timeout=30, check=True
    )
    assert local_facts.same(done.stdout, build())


def other_bytecode(name: str, content: bytes) -> bytes:
    return content[:16] + b"?" if name.endswith(".pyc") else content


@pytest.mark.skipif(sys.version_info < (3, 11), reason="one source compiles to different bytes here")
def test_one_source_compiles_to_the_same_bytes() -> None:
    assert build() == build()
    assert not local_facts.same(rewritten(build(), other_bytecode), build())


def test_where_it_does_not_the_digest_tells_whether_the_file_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_facts, "_compiles_alike", lambda: False)
    other = rewritten(build(), other_bytecode)
    assert local_facts.same(other, build())
    at = other.rindex(b"?")
    damaged = other[:at] + b"!" + other[at + 1 :]
    assert not local_facts.same(damaged, build())


@pytest.mark.parametrize("alike", [False, True])
def test_any_damage_is_noticed(monkeypatch: pytest.MonkeyPatch, alike: bool) -> None:
    """In the bytecode too, which Python takes without a look at the source."""
    monkeypatch.setattr(local_facts, "_compiles_alike", lambda: alike)
    script = build()
    for at in range(0, len(script), 997):
        damaged = script[:at] + bytes([script[at] ^ 1]) + script[at + 1 :]
        assert not local_facts.same(damaged, script), at


def change_source(name: str, content: bytes) -> bytes:
    return content + b"#" if name.endswith("gather.py") else content


def change_call(name: str, content: bytes) -> bytes:
    return content + b"#" if name == "__main__.py" else content


def change_interpreter(name: str, content: bytes) -> bytes:
    return b"????" + content[4:] if name.endswith(".pyc") else content


@pytest.mark.parametrize(
    "installed",
    [
        None,
        b"",
        b"#!/bin/sh\necho '{}'\n",
        build({}),
        build(python="/usr/bin/python0"),
        build()[:-1],
        build().replace(b"def gather(", b"def gather["),
        rewritten(build(), change_source),
        rewritten(build(), change_call),
        rewritten(build(), change_interpreter),
    ],
    ids=["nothing", "empty", "foreign", "options", "python", "cut", "bits", "source", "call", "bytecode"],
)
def test_what_differs_is_not_the_same(installed: bytes | None) -> None:
    assert not local_facts.same(installed, build())


def test_the_head_tells_what_it_was_made_from() -> None:
    head = local_facts.describe(build({"detect": "force"}, "/usr/bin/python3"))
    assert head.startswith("#!/bin/sh\n")
    assert '# python "/usr/bin/python3"\n# options {"detect": "force"}\n' in head
    assert release.VERSION in head
    assert all(line.startswith("#") for line in head.splitlines())


def test_the_head_changes_with_the_sources() -> None:
    core = local_facts.core()
    changed = {**core, "tags.py": core["tags.py"] + b"#"}
    one, other = (local_facts.describe(local_facts.build(files, {}, "/p")) for files in (core, changed))
    assert one != other


@pytest.mark.parametrize(
    ("script", "head"), [(None, ""), (b"\xff\xfe", "A file that this module did not make.\n")], ids=["none", "foreign"]
)
def test_what_is_no_script_is_described_too(script: bytes | None, head: str) -> None:
    assert local_facts.describe(script) == head


@pytest.mark.parametrize("python", ["python3", "", "/x\n/y", "/x\0y"], ids=repr)
def test_an_interpreter_without_a_usable_path_is_refused(python: str) -> None:
    with pytest.raises(local_facts.ScriptError, match=r"^python: "):
        build(python=python)


@pytest.mark.parametrize("name", ["my python", "it's", '"$(exit 1)"', "größer", "x" * 200])
def test_any_other_path_will_do(tmp_path: Path, name: str) -> None:
    python = tmp_path / name
    python.symlink_to(sys.executable)
    assert run(build(python=str(python)), tmp_path)["reason"] == "not_azure"


def gone(python: Path) -> None:
    python.unlink()


def not_executable(python: Path) -> None:
    python.unlink()
    python.write_text("")
    python.chmod(0o644)


def a_directory(python: Path) -> None:
    python.unlink()
    python.mkdir()


def no_program(python: Path) -> None:
    python.unlink()
    python.write_bytes(b"\x7fELF")
    python.chmod(0o755)


def saying(text: str, status: int) -> Callable[[Path], None]:
    def become(python: Path) -> None:
        python.unlink()
        python.write_text(f"#!/bin/sh\nprintf '%s' '{text}'\nexit {status}\n")
        python.chmod(0o755)

    return become


BROKEN: dict[str, Callable[[Path], None]] = {
    "gone": gone,
    "not executable": not_executable,
    "a directory": a_directory,
    "no program": no_program,
    "failing": saying("", 1),
    "failing halfway": saying("{", 139),
    "silent": saying("", 0),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_whatever_becomes_of_the_interpreter_there_is_a_fact(tmp_path: Path, change: Callable[[Path], None]) -> None:
    python = tmp_path / "python's place"
    python.symlink_to(sys.executable)
    script = tmp_path / "azure_imds.fact"
    script.write_bytes(build(python=str(python)))
    script.chmod(0o755)
    change(python)
    done = subprocess.run([str(script)], env={}, cwd="/", capture_output=True, timeout=30, check=False)
    assert done.returncode == 0
    facts = json.loads(done.stdout)
    expected, _warnings = gather(settings(ELSEWHERE))
    assert (facts["available"], facts["reason"]) == (False, "no_interpreter")
    assert facts.keys() == expected.keys()
    assert facts["meta"].keys() >= {"message", "collected_at"}
    assert str(python) in facts["meta"]["message"]


@pytest.mark.parametrize("damage", [lambda script: script[:-30], head_of])
def test_a_damaged_archive_gives_a_fact_too(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "azure_imds.fact"
    file.write_bytes(damage(build()))
    file.chmod(0o755)
    done = subprocess.run([str(file)], env={}, cwd="/", capture_output=True, timeout=30, check=False)
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (0, "no_interpreter")


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_any_shell_runs_the_head(tmp_path: Path, shell: str) -> None:
    path = shutil.which(shell)
    if not path:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "azure_imds.fact"
    file.write_bytes(build())
    command = [path, *(["sh"] if shell == "busybox" else []), str(file)]
    done = subprocess.run(command, env={}, capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout)["reason"] == "not_azure"


def test_it_can_be_tried_without_asking(tmp_path: Path) -> None:
    file = tmp_path / "azure_imds.fact"
    file.write_bytes(build({"detect": "force", "endpoint": "http://127.0.0.1:1"}))
    command = [sys.executable, local_facts.FLAGS, str(file), "--check"]
    assert (
        subprocess.run(command, capture_output=True, timeout=30, check=True).stdout.decode() == f"{release.VERSION}\n"
    )


def test_off_azure_it_prints_the_full_shape_and_sends_nothing(tmp_path: Path) -> None:
    facts = run(build(), tmp_path)
    expected, _warnings = gather(settings(ELSEWHERE))
    assert (facts["available"], facts["reason"], facts["meta"]["requests"]) == (False, "not_azure", 0)
    assert {**facts, "meta": None} == {**json.loads(json.dumps(expected)), "meta": None}


def test_its_own_interpreter_takes_the_bytecode(tmp_path: Path) -> None:
    script = rewritten(
        build(), lambda name, content: b"broken(" if name.startswith("_imds/") and name.endswith(".py") else content
    )
    assert run(script, tmp_path)["reason"] == "not_azure"


def test_an_interpreter_that_does_not_know_the_bytecode_takes_the_source(tmp_path: Path) -> None:
    assert run(rewritten(build(), change_interpreter), tmp_path)["reason"] == "not_azure"


def test_other_versions_of_python_run_it(tmp_path: Path) -> None:
    pythons = other_pythons()
    if not pythons:
        pytest.skip("no other Python 3.9 or newer on the path")
    for python in pythons:
        assert run(build(), tmp_path, python)["reason"] == "not_azure"


def test_neither_site_packages_nor_the_environment_nor_neighbors_are_used(tmp_path: Path) -> None:
    assert b" -IS " in head_of(build())
    (tmp_path / "json.py").write_text("broken(")
    assert run(build(), tmp_path)["reason"] == "not_azure"


def fail(_settings: Settings) -> None:
    raise RecursionError("too deep")


@pytest.mark.parametrize(
    ("options", "replacement"), [({"endpoint": "nonsense"}, gather), ({}, fail)], ids=["option", "code"]
)
def test_whatever_goes_wrong_it_prints_the_full_shape(
    options: dict[str, str],
    replacement: Callable[[Settings], Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_fact, "gather", replacement)
    local_fact.report(options)
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    expected, _warnings = gather(settings(ELSEWHERE))
    assert (facts["available"], facts["reason"]) == (False, "malformed")
    assert facts.keys() == expected.keys()
    assert facts["meta"].keys() == expected["meta"].keys()
    assert printed.err == ""


def test_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_fact, "gather", lambda _settings, _delivery: ({"available": True}, ["Mind the gap."]))
    local_fact.report({})
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ('{"available": true}\n', "Mind the gap.\n")


def test_it_has_shorter_timeouts_than_the_module_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []

    def look(given: Settings, _delivery: str) -> tuple[dict[str, Any], list[str]]:
        seen.append(given)
        return {}, []

    monkeypatch.setattr(local_fact, "gather", look)
    local_fact.report({})
    local_fact.report({"timeout": 2.5, "load_balancer": True})
    assert vars(seen[0]) == vars(settings(local_fact.DEFAULTS))
    assert vars(seen[1]) == vars(settings({**local_fact.DEFAULTS, "timeout": 2.5, "load_balancer": True}))
    assert all(seconds < getattr(Settings(), name) for name, seconds in local_fact.DEFAULTS.items())
