# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils import _local_facts as local_facts
from ansible_collections.imds.azure.plugins.module_utils._imds.gather import gather
from ansible_collections.imds.azure.plugins.module_utils._imds.options import settings
from ansible_collections.imds.azure.plugins.modules import azure_imds_local_facts
from ansible_collections.imds.azure.tests.scenarios.module_runner import module_arguments

DOCUMENT = {
    "compute": {
        "name": "web-1",
        "location": "westeurope",
        "zone": "1",
        "tagsList": [{"name": "role", "value": "größer; als: {0!r}"}],
    },
    "network": {"interface": []},
}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the module with options, on facts.d in a temporary directory, and give its JSON."""

    def run_module(check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {
            "path": str(tmp_path / "facts.d"),
            **options,
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            "_ansible_remote_tmp": str(tmp_path),
        }
        with module_arguments(arguments), pytest.raises(SystemExit):
            azure_imds_local_facts.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "facts.d" / "azure_imds.fact"


@pytest.fixture
def endpoint() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(DOCUMENT).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_installs_once(run: Any, script: Path) -> None:
    first = run()
    installed = script.read_bytes()
    assert first["changed"]
    assert first["path"] == str(script)
    assert (first["python"], first["options"]) == (sys.executable, {})
    assert mode(script) == 0o755
    second = run()
    assert not second["changed"]
    assert script.read_bytes() == installed
    assert os.listdir(script.parent) == [script.name]


def test_check_mode_changes_nothing(run: Any, script: Path) -> None:
    assert run(check=True)["changed"]
    assert not script.parent.exists()
    run()
    installed = script.read_bytes()
    assert not run(check=True)["changed"]
    assert run(check=True, load_balancer=True)["changed"]
    assert run(check=True, state="absent")["changed"]
    assert script.read_bytes() == installed


def test_absent_removes_it_once(run: Any, script: Path) -> None:
    run()
    other = script.parent / "other.fact"
    other.write_text("{}")
    assert run(state="absent")["changed"]
    assert os.listdir(script.parent) == [other.name]
    assert not run(state="absent")["changed"]


def test_absent_needs_no_directory(run: Any, script: Path) -> None:
    assert not run(state="absent")["changed"]
    assert not script.parent.exists()


def test_options_that_differ_from_the_defaults_are_kept(run: Any, script: Path) -> None:
    result = run(detect="force", timeout=5, connect_timeout=0.5, load_balancer=False)
    assert result["options"] == {"detect": "force", "connect_timeout": 0.5}
    assert not run(detect="force", connect_timeout=0.5)["changed"]
    assert run(detect="force")["changed"]
    assert b"connect_timeout" not in script.read_bytes().split(b"_imds/__init__.py")[0]


def test_the_diff_is_text(run: Any, script: Path) -> None:
    diff = run(diff=True)["diff"]
    assert (diff["before"], diff["before_header"]) == ("", str(script))
    assert "# options {}\n" in diff["after"]
    changed = run(diff=True, check=True, load_balancer=True)["diff"]
    assert changed["before"] == diff["after"]
    assert '# options {"load_balancer": true}\n' in changed["after"]
    removed = run(diff=True, state="absent")["diff"]
    assert (removed["before"], removed["after"]) == (diff["after"], "")


def test_without_diff_mode_there_is_no_diff(run: Any) -> None:
    assert "diff" not in run()


def test_a_lost_mode_is_given_back(run: Any, script: Path) -> None:
    run()
    script.chmod(0o644)
    assert run(check=True)["changed"]
    assert mode(script) == 0o644
    assert run()["changed"]
    assert mode(script) == 0o755


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\necho '{}'\n", None], ids=["empty", "foreign", "damaged"])
def test_anything_else_in_its_place_is_replaced(run: Any, script: Path, content: bytes | None) -> None:
    run()
    installed = script.read_bytes()
    script.write_bytes(installed[:-30] if content is None else content)
    assert run()["changed"]
    assert not run()["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "facts.d"}, "path: 'facts.d' is not absolute"),
        ({"endpoint": "http://imds.example"}, "endpoint: "),
        ({"endpoint": "http://10.0.0.1"}, "endpoint: "),
        ({"timeout": -1}, "timeout: "),
        ({"python": "/nowhere/python3"}, "python: '/nowhere/python3' can't be executed"),
        ({"path": "/dev/null/facts.d"}, "path: /dev/null"),
    ],
    ids=str,
)
def test_a_bad_option_is_named(run: Any, options: dict[str, Any], message: str) -> None:
    result = run(**options)
    assert result["failed"]
    assert result["msg"].startswith(message)


def broken_interpreter(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho no json here >&2\nexit 1\n", "exit status 1): no json here"),
        ("#!/bin/sh\necho {}\n", "exit status 0): {}"),
        ("#!/nowhere/python\n", "No such file"),
        ("\x7fELF", "can't run the script"),
    ],
    ids=["failing", "another program", "without its own", "no program"],
)
@pytest.mark.parametrize("check", [False, True])
def test_an_interpreter_is_tried_before_anything_is_installed(
    run: Any, script: Path, tmp_path: Path, text: str, said: str, check: bool
) -> None:
    python = broken_interpreter(tmp_path / "python", text)
    result = run(check=check, python=str(python))
    assert result["failed"]
    assert result["msg"].startswith(f"python: '{python}' can't run the script")
    assert said in result["msg"]
    assert not script.exists()


def test_a_directory_is_no_interpreter(run: Any, script: Path, tmp_path: Path) -> None:
    result = run(python=str(tmp_path))
    assert result["failed"]
    assert result["msg"].startswith(f"python: '{tmp_path}' can't be executed")
    assert not script.exists()


def test_a_directory_in_its_place_is_an_error(run: Any, script: Path) -> None:
    script.mkdir(parents=True)
    for state in ("present", "absent"):
        result = run(state=state)
        assert result["failed"]
        assert result["msg"].startswith(f"path: {script} is a directory; remove it")
    assert script.is_dir()


def test_a_pipe_in_its_place_holds_nobody(run: Any, script: Path) -> None:
    script.parent.mkdir()
    os.mkfifo(script)
    result = run()
    assert result["failed"]
    assert "is not a regular file" in result["msg"]


def test_a_link_in_its_place_is_replaced_and_what_it_leads_to_is_left(run: Any, script: Path, tmp_path: Path) -> None:
    run()
    elsewhere = tmp_path / "elsewhere"
    script.rename(elsewhere)
    script.symlink_to(elsewhere)
    content = elsewhere.read_bytes()
    assert run()["changed"]
    assert not script.is_symlink()
    assert elsewhere.read_bytes() == content
    assert local_facts.same(script.read_bytes(), content)
    assert not run()["changed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_foreign_owner_is_corrected(run: Any, script: Path) -> None:
    run()
    os.chown(script, 65534, 65534)
    assert run(check=True)["changed"]
    assert script.stat().st_uid == 65534
    assert run()["changed"]
    assert script.stat().st_uid == 0
    assert not run()["changed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(run: Any, script: Path) -> None:
    script.parent.mkdir()
    os.chown(script.parent, 65534, 65534)
    result = run()
    assert result["failed"]
    assert result["msg"].startswith(f"path: {script.parent} belongs to user 65534")
    assert not script.exists()


def test_a_full_disk_leaves_the_old_script(run: Any, script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    installed = script.read_bytes()

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device", str(script))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        result = run(load_balancer=True)
    assert result["failed"]
    assert "No space left on device" in result["msg"]
    assert script.read_bytes() == installed
    assert os.listdir(script.parent) == [script.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_can_not_be_written_is_an_error(run: Any, script: Path) -> None:
    script.parent.mkdir(mode=0o555)
    result = run()
    assert result["failed"]
    assert result["msg"].startswith(f"path: {script.parent}: ")
    assert "become" in result["msg"]


def test_another_interpreter_can_be_named(run: Any, script: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    assert run(python=str(python))["python"] == str(python)
    assert f'# python "{python}"\n'.encode() in script.read_bytes()


def test_the_script_prints_what_the_facts_module_returns(run: Any, script: Path, endpoint: str) -> None:
    run(endpoint=endpoint, detect="force")
    done = subprocess.run([str(script)], env={}, capture_output=True, timeout=30, check=True)
    facts = json.loads(done.stdout)
    expected, warnings = gather(settings({"endpoint": endpoint, "detect": "force"}))
    assert (facts["available"], warnings) == (True, [])
    assert facts["tags"] == {"role": "größer; als: {0!r}"}
    assert {**facts, "meta": None} == {**expected, "meta": None}
    assert facts["meta"].keys() == expected["meta"].keys()


def test_the_script_reports_an_endpoint_that_refuses(run: Any, script: Path) -> None:
    run(endpoint="http://127.0.0.1:1", detect="force", timeout=0.5)
    done = subprocess.run([str(script)], env={}, capture_output=True, timeout=30, check=True)
    facts = json.loads(done.stdout)
    assert (facts["available"], facts["reason"]) == (False, "refused")
