# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: start, ready line, options, refusals, background, SIGTERM."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import azure_imds_emulator
import pytest
from azure_imds_emulator import service

LOOPBACK = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
FILES = Path(azure_imds_emulator.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(FILES), "PYTHONDONTWRITEBYTECODE": "1"}
COMMAND = [sys.executable, "-m", "azure_imds_emulator"]


def run(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        [*prefix, *COMMAND, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture
def launch() -> Iterator[Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]]:
    """A function that starts the command and returns the process and its ready line."""
    started: list[subprocess.Popen[str]] = []

    def launch(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen([*COMMAND, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield launch
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def get(where: str, path: str, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of one GET."""
    connection = http.client.HTTPConnection(where, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ready_line_and_clean_end(launch: Any, tmp_path: Path, number: int) -> None:
    ready_file = tmp_path / "ready"
    process, ready = launch(*LOOPBACK, "--listen", "127.0.0.1:0", "--ready-file", str(ready_file))
    assert json.loads(ready_file.read_text(encoding="utf-8")) == ready
    assert ready["pid"] == process.pid
    assert len(set(ready["listen"])) == 2
    for where in ready["listen"]:
        assert get(where, "/metadata/versions", Metadata="true")[0] == 200
    assert get(ready["control"], "/")[0] == 200
    idle = socket.create_connection(("127.0.0.1", int(ready["listen"][0].rpartition(":")[2])))
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    idle.close()
    assert not ready_file.exists()


def test_command_line_options_reach_the_emulator(launch: Any, tmp_path: Path) -> None:
    vms = tmp_path / "vms.json"
    vms.write_text(json.dumps([{"name": "from-file"}]), encoding="utf-8")
    _ignored, ready = launch(*LOOPBACK, "--vms", str(vms), "--no-limiter", "--server-build", "7", "--retry-after", "4")
    answers = [
        get(ready["listen"][0], "/metadata/instance?api-version=2025-04-07", Metadata="true") for _ignored in range(8)
    ]
    assert {status for status, _headers, _body in answers} == {200}
    assert answers[0][1]["Server"] == "IMDS/150.870.65.7"
    assert json.loads(answers[0][2])["compute"]["name"] == "from-file"


def test_the_emulator_listens_on_ipv6(launch: Any) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    _ignored, ready = launch("--listen", "[::1]:0", "--control", "[::1]:0")
    assert ready["listen"][0].startswith("[::1]:")
    assert get(ready["listen"][0], "/metadata/versions", Metadata="true")[0] == 200


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a start that was refused."""
    assert result.returncode == 1, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("azure_imds_emulator: ")
    return lines[0]


def test_refuses_an_address_where_something_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        assert f"{where}: something already listens there" in refusal(
            run("--listen", where, "--control", "127.0.0.1:0")
        )
        assert "something already" in refusal(run("--listen", "127.0.0.1:0", "--control", where))


def test_refuses_an_address_that_is_not_local() -> None:
    assert "192.0.2.1:80: no interface" in refusal(run("--listen", "192.0.2.1:80", "--control", "127.0.0.1:0"))


@pytest.mark.parametrize(
    ("content", "words"),
    [("[", "is not JSON"), ("{}", "vms: must be a list"), ('[{"name": "a", "profile": 1}]', "vms[0].profile")],
)
def test_refuses_bad_vm_files(tmp_path: Path, content: str, words: str) -> None:
    vms = tmp_path / "vms.json"
    vms.write_text(content, encoding="utf-8")
    assert words in refusal(run(*LOOPBACK, "--vms", str(vms)))
    assert "missing" in refusal(run(*LOOPBACK, "--vms", str(tmp_path / "missing")))


@pytest.mark.parametrize(
    "text", ["localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", ":80", ""]
)
def test_refuses_bad_endpoints(text: str) -> None:
    result = run("--listen", text)
    assert result.returncode == 2
    assert "is not ADDRESS:PORT" in result.stderr


@pytest.mark.parametrize("option", ["--retry-after", "--server-build"])
@pytest.mark.parametrize("text", ["-1", "1.5", "", "soon", "1_0", "²", "100000"])
def test_refuses_bad_numbers(option: str, text: str) -> None:
    result = run(f"{option}={text}", *LOOPBACK)
    assert result.returncode == 2
    assert f"argument {option}: {text!r} is not a whole number from 0 to" in result.stderr


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::1]:0"])
def test_endpoints_are_spelled_as_they_are_read(text: str) -> None:
    assert service.spelled(service.endpoint(text)) == text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.8.7", "::1", "0.0.0.0", "::"])
def test_loopback_addresses_are_always_local(address: str) -> None:
    assert service.is_local(address)


def test_the_emulator_runs_in_the_background(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    mine = ("--pid-file", str(pid_file))
    try:
        started = run(*LOOPBACK, "--background", *mine)
        ready = json.loads(started.stdout)
        assert int(pid_file.read_text(encoding="ascii")) == ready["pid"]
        assert os.getsid(ready["pid"]) == ready["pid"]  # a hangup of the terminal does not end it
        assert get(ready["listen"][0], "/metadata/versions", Metadata="true")[0] == 200
        assert "runs already" in refusal(run(*LOOPBACK, "--background", *mine))
        assert get(ready["control"], "/")[0] == 200
    finally:
        assert run("--stop", *mine).stdout == "stopped\n"
    assert run("--stop", *mine).stdout == "not running\n"


def test_a_background_start_that_fails_says_why(tmp_path: Path) -> None:
    mine = ("--pid-file", str(tmp_path / "pid"))
    assert "no interface" in refusal(run("--listen", "192.0.2.1:80", "--background", *mine))
    assert run("--stop", *mine).stdout == "not running\n"


def test_a_stale_pid_file_hurts_nobody(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")
    assert run("--stop", "--pid-file", str(pid_file)).stdout == "not running\n"


@pytest.mark.parametrize("name", ["pid", "pid.log", "ready.partial"])
def test_links_that_somebody_planted_are_not_followed(tmp_path: Path, name: str) -> None:
    """Where these files lie in /tmp, their names can be guessed."""
    precious = tmp_path / "precious"
    precious.write_text("precious", encoding="ascii")
    (tmp_path / name).symlink_to(precious)
    mine = ("--pid-file", str(tmp_path / "pid"))
    try:
        run(*LOOPBACK, "--background", "--ready-file", str(tmp_path / "ready"), *mine)
    finally:
        run("--stop", *mine)
    assert precious.read_text(encoding="ascii") == "precious"


def test_background_needs_a_pid_file() -> None:
    assert "need --pid-file" in run("--background").stderr


# In a network namespace of its own: the address on lo, or a default route into nothing.
NAMESPACE = ("unshare", "--map-root-user", "--net", "sh", "-ec")
WELL_KNOWN = ("--listen", "169.254.169.254:80", "--control", "127.0.0.1:0")


def in_namespace(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a new network namespace; ``"$@"`` is the command with its arguments."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("no unshare or no ip on this machine")
    probe = subprocess.run([*NAMESPACE, "ip link set lo up"], capture_output=True, timeout=10, check=False)
    if probe.returncode:
        pytest.skip("this machine does not let us make network namespaces")
    return run(*arguments, prefix=(*NAMESPACE, script, "sh"))


def test_takes_the_well_known_address_where_it_is_local() -> None:
    script = """
        ip link set lo up
        ip address add 169.254.169.254/32 dev lo
        timeout --preserve-status 1 "$@"
        """
    result = in_namespace(script, *WELL_KNOWN)
    assert json.loads(result.stdout)["listen"] == ["169.254.169.254:80"], result


def test_refuses_the_well_known_address_where_somebody_has_it() -> None:
    script = f"""
        ip link set lo up
        ip address add 169.254.169.254/32 dev lo
        exec {sys.executable} -c 'import os, socket, sys
other = socket.create_server(("0.0.0.0", 80))
os.set_inheritable(other.fileno(), True)
os.execv(sys.argv[1], sys.argv[1:])' "$@"
        """
    assert "something already listens there" in refusal(in_namespace(script, *WELL_KNOWN))


@pytest.mark.parametrize("bind_anything", ["0", "1"])
def test_sends_no_packet_where_the_address_is_not_local(bind_anything: str) -> None:
    """With a default route to a device that counts what is sent, and also where one may bind to any address."""
    script = """
        echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
        echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
        echo BIND >/proc/sys/net/ipv4/ip_nonlocal_bind
        ip link set lo up
        ip link add out type veth peer name behind
        ip link set behind up
        ip link set out up
        ip address add 10.9.8.7/24 dev out
        ip route add default dev out
        sent() { awk '$1 == "out:" { print $11 }' /proc/net/dev; }
        before=$(sent)
        "$@" || status=$?
        test "$(sent)" = "$before"
        exit $status
        """
    assert "no interface" in refusal(in_namespace(script.replace("BIND", bind_anything), *WELL_KNOWN))


def test_key_vaults_and_the_agent_of_arc_machines_have_ports_of_their_own(launch: Any, tmp_path: Path) -> None:
    """What each of them answers is tested elsewhere; here, that they are started and leave nothing behind."""
    vms, vaults, keys = tmp_path / "vms.json", tmp_path / "vaults.json", tmp_path / "keys"
    vms.write_text(json.dumps([{"name": "server1", "arc": True, "identity": {"system_assigned": True}}]))
    vaults.write_text(json.dumps([{"name": "kv-web", "secrets": {"key": "protects nothing"}}]))
    process, ready = launch(*LOOPBACK, "--vms", str(vms), "--vault-listen", "127.0.0.1:0", "--vaults", str(vaults),
                            "--arc-listen", "127.0.0.1:0", "--arc-tokens", str(keys))  # fmt: skip
    token = "/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https://vault.azure.net"
    status, headers, _body = get(ready["arc_listen"][0], token, Metadata="true")
    assert status == 401
    assert [f"Basic realm={path}" for path in keys.iterdir()] == [headers["WWW-Authenticate"]]
    trust = ssl.create_default_context(cadata=get(ready["control"], "/ca/root.pem")[2].decode())
    connection = http.client.HTTPSConnection(ready["vault_listen"][0], timeout=10, context=trust)
    connection.request("GET", "/secrets/key?api-version=7.4")
    assert connection.getresponse().status == 401
    connection.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert list(keys.iterdir()) == []


def test_refuses_vaults_that_make_no_sense(tmp_path: Path) -> None:
    vaults = tmp_path / "vaults.json"
    vaults.write_text(json.dumps([{"name": "kv-web", "secrets": {"key": ["protects nothing"]}}]))
    line = refusal(run(*LOOPBACK, "--vaults", str(vaults)))
    assert line.startswith("azure_imds_emulator: vaults[0].secrets.key: must be a string")
    assert "protects" not in line
