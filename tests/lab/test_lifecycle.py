# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up, down, exec and run: what they promise when all goes well, and when not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .api import Lab
from .state import HERE, REPOSITORY, Place

ONE = {"vms": [{"name": "vm"}]}
Command = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.usefixtures("lab")


def lab(*words: str, document: Any = None, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [str(HERE / "lab"), *words]
    return subprocess.run(
        command,
        input=document if isinstance(document, str) else json.dumps(ONE if document is None else document),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture
def name() -> Iterator[str]:
    yield "one"
    lab("down", "one")


def processes_of(place: Place) -> list[str]:
    """The processes whose command line or open log belongs to a lab."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(place.path) in os.readlink(process / "fd" / "1"):
                found.append(process.name)
        except OSError:
            continue
    return found


def test_up_exec_status_down(name: str, lab_dir: Path) -> None:
    up = lab("up", "-", "--name", name)
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout)["members"] == ["fabric", "vm"]
    assert json.loads(lab("status", name).stdout)[name]["up"]
    assert processes_of(Place.named(name))
    assert lab("exec", name, "vm", "--", "hostname").stdout == "vm\n"
    assert lab("exec", name, "vm", "--", "sh", "-c", "exit 42").returncode == 42
    assert lab("exec", name, "vm", "--", "echo", "a b", "$HOME").stdout == "a b $HOME\n"
    assert lab("down", name).stdout == "lab one: ended\n"
    assert not processes_of(Place.named(name))
    assert not (lab_dir / name).exists()


def test_down_twice(name: str) -> None:
    lab("up", "-", "--name", name)
    assert [lab("down", name).returncode for _ignored in range(2)] == [0, 0]
    assert lab("down", name).stdout == "lab one: was not up\n"
    assert lab("status", name).returncode == 1


def test_up_twice_leaves_the_first_alone(name: str) -> None:
    lab("up", "-", "--name", name)
    lab("exec", name, "vm", "--", "touch", "/etc/first")
    second = lab("up", "-", "--name", name)
    message = "lab: --name: lab one is already up; end it first (lab down one) or choose another name\n"
    assert (second.returncode, second.stderr) == (1, message)
    assert lab("run", "-", "--name", name, "--", "true").returncode == 1
    assert lab("exec", name, "vm", "--", "test", "-e", "/etc/first").returncode == 0


def test_a_crashed_lab_can_be_started_again(name: str) -> None:
    lab("up", "-", "--name", name)
    place = Place.named(name)
    pid = place.alive()
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(place))
    gone = lab("exec", name, "vm", "--", "true")
    assert (gone.returncode, gone.stderr) == (
        1,
        "lab: lab one is not up; start it with lab up, or see with lab status what is\n",
    )
    shell = subprocess.run([place.shell("vm"), "-c", "true"], capture_output=True, text=True, timeout=10, check=False)
    assert (shell.returncode, shell.stderr) == (125, "lab one: vm is not up\n")
    assert lab("up", "-", "--name", name).returncode == 0
    assert lab("exec", name, "vm", "--", "hostname").stdout == "vm\n"


@pytest.mark.parametrize("milliseconds", [60, 90, 120, 160, 220, 300])
def test_a_killed_up_leaves_nothing_behind(name: str, milliseconds: int) -> None:
    command = [sys.executable, str(HERE / "start.py"), "up", "-", "--name", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdin
        up.stdin.write(json.dumps(ONE))
        up.stdin.close()
        time.sleep(milliseconds / 1000)
        up.kill()
    place = Place.named(name)
    # Either it was up in time and written down, or it ends by itself; "down" waits for that.
    assert lab("down", name).returncode == 0
    wait_until(lambda: not processes_of(place))
    assert lab("up", "-", "--name", name).returncode == 0


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_down_signals_no_foreign_process(name: str) -> None:
    """A pid may have been given to somebody else since."""
    place = Place.named(name)
    with subprocess.Popen(["sleep", "30"]) as stranger:
        place.create(["fabric"])
        place.member("fabric").write_text(f"{stranger.pid} 1\n", encoding="ascii")
        shell = subprocess.run([place.shell("fabric"), "-c", "true"], capture_output=True, timeout=10, check=False)
        assert shell.returncode == 125
        assert lab("down", name).stdout == "lab one: was not up\n"
        assert stranger.poll() is None
        stranger.kill()


def test_run_cleans_up_and_hands_on_the_exit_code(lab_dir: Path) -> None:
    script = 'test -e "$LAB_INVENTORY" && "$0" exec "$LAB_NAME" vm -- hostname && exit 7'
    done = lab("run", "-", "--name", "two", "--", "sh", "-c", script, str(HERE / "lab"))
    assert (done.returncode, done.stdout) == (7, "vm\n")
    assert not (lab_dir / "two").exists()
    nothing = lab("run", "-", "--name", "two", "--", "no-such-command")
    assert (nothing.returncode, nothing.stderr[:27]) == (1, "lab: CMD: no-such-command: ")
    assert len(nothing.stderr.splitlines()) == 1
    assert not (lab_dir / "two").exists()


def test_an_interrupted_run_cleans_up(lab_dir: Path) -> None:
    inner = ["sh", "-c", "echo up; exec sleep 30"]
    command = [sys.executable, str(HERE / "start.py"), "run", "-", "--name", "two", "--", *inner]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin
        assert run.stdout
        run.stdin.write(json.dumps(ONE))
        run.stdin.close()
        assert run.stdout.readline() == "up\n"
        run.terminate()
        run.wait(30)
    assert not (lab_dir / "two").exists()


def test_a_timeout_ends_what_runs_inside() -> None:
    with Lab(ONE) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.run("vm", ["sleep", "4321"], timeout=0.3)
        wait_until(lambda: "4321" not in running.run("vm", ["sh", "-c", "cat /proc/[0-9]*/cmdline"]).stdout)


WRONG: dict[str, tuple[tuple[str, ...], Any, int, str]] = {
    "field": (("up", "-"), {"vms": [{"name": "vm", "nic": 1}]}, 2, "lab: vms[0].nic: unknown field"),
    "name": (("up", "-", "--name", "../x"), ONE, 2, "lab: NAME: '../x' is not a valid name"),
    "no JSON": (("up", "/etc/passwd"), ONE, 2, "lab: SPEC: /etc/passwd is not JSON: "),
    "directory": (("up", "/etc"), ONE, 2, "lab: SPEC: cannot read /etc: Is a directory"),
    "nested too deeply": (("up", "-"), "[" * 100_000, 2, "lab: SPEC: standard input is not JSON: "),
    "interpreter": (
        ("up", "-"),
        {"vms": [{"name": "vm", "python": "/nowhere/python3"}]},
        2,
        "lab: vms[0].python: /nowhere/python3 is not a program on this machine; name the Python interpreter",
    ),
    "file": (("up", "/nowhere.json"), ONE, 2, "lab: SPEC: cannot read /nowhere.json: No such file"),
    "not up": (("exec", "nobody", "vm", "--", "true"), ONE, 1, "lab: lab nobody is not up; start it"),
    "no command": (("run", "-", "--"), ONE, 2, "lab: CMD: there is no command to run"),
    "ip": (
        ("up", "-", "--name", "one"),
        {"vms": [{"name": "vm", "ip": [["link", "show"], ["route", "add", "10.0.0.0/8", "dev", "eth7"]]}]},
        2,
        "lab: vms[0].ip[1]: ip route add 10.0.0.0/8 dev eth7: Cannot find device",
    ),
    "profile": (
        ("up", "-", "--name", "one"),
        {"vms": [{"name": "elsewhere", "imds": False}, {"name": "vm", "profile": "no-such-profile"}]},
        2,
        "lab: vms[1].profile: must be one of accelerated_networking, ",
    ),
}


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("/proc/labs", "cannot use /proc/labs: No such file or directory; set LAB_DIR to a directory"),
        ("/etc/passwd", "cannot use /etc/passwd: File exists; set LAB_DIR to a directory"),
        ("/tmp/a b", "/tmp/a b/lab contains a character that mount options or shells treat specially; set LAB_DIR to"),
    ],
)
def test_a_directory_for_labs_that_cannot_be_one(folder: str, message: str) -> None:
    done = lab("up", "-", env={**os.environ, "LAB_DIR": folder})
    expected = f"lab: LAB_DIR: {message}"
    assert (done.returncode, done.stderr[: len(expected)]) == (1, expected)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("program", ["ip", "nsenter"])
def test_a_missing_program_is_named_with_its_package(program: str) -> None:
    """In an interpreter of its own, because the lab always looks in the system's directories too."""
    script = (
        "import shutil, sys; from lab.__main__ import main; which = shutil.which\n"
        f"shutil.which = lambda name: None if name == {program!r} else which(name)\n"
        "sys.argv = ['lab', 'up', '-']; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(ONE),
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 77
    assert re.fullmatch(rf"lab: the program {program} is missing; install the package \S.*\n", done.stderr)


def test_a_link_to_the_program_starts_its_own_example(name: str, tmp_path: Path) -> None:
    (tmp_path / "imds-lab").symlink_to(HERE / "lab")
    command = [str(tmp_path / "imds-lab"), "example"]
    example = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    up = lab("up", "-", "--name", name, document=json.loads(example))
    assert up.returncode == 0, up.stderr
    hosts = json.loads(Path(json.loads(up.stdout)["inventory"]).read_text(encoding="utf-8"))
    assert list(hosts["all"]["children"]["lab"]["hosts"]) == ["web1", "web2", "db1"]


def test_status_ignores_what_is_not_a_lab(name: str, lab_dir: Path) -> None:
    lab("up", "-", "--name", name)
    (lab_dir / "Not a lab").mkdir(exist_ok=True)
    (lab_dir / "note.txt").touch()
    assert name in json.loads(lab("status").stdout)


@pytest.mark.parametrize(("words", "document", "exit_code", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input(words: tuple[str, ...], document: Any, exit_code: int, message: str, name: str) -> None:
    done = lab(*words, document=document)
    assert (done.returncode, done.stderr[: len(message)]) == (exit_code, message)
    assert len(done.stderr.splitlines()) == 1
    assert not processes_of(Place.named(name))


def test_an_unknown_vm(name: str) -> None:
    lab("up", "-", "--name", name)
    assert lab("exec", name, "vn", "--", "true").stderr == "lab: VM: lab one has no 'vn'; it has fabric, vm\n"


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[Command]:
    """`lab` as an ordinary user, from a copy of the tree that this user may read but not change."""
    if os.geteuid() != 0:
        pytest.skip("not root: all the other tests run as an ordinary user already")
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    for part in ("tests/lab", "roles/azure_imds_emulator"):
        shutil.copytree(REPOSITORY / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    installed = sorted(tmp_path.rglob("*"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    environment = {key: value for key, value in os.environ.items() if key != "LAB_DIR"}
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")

    def command(*words: str, document: Any = None) -> subprocess.CompletedProcess[str]:
        user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        return subprocess.run(
            [*user, str(tmp_path / "tests/lab/lab"), *words],
            input=json.dumps(ONE if document is None else document),
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield command
    command("down", "lab")
    assert installed == sorted(
        path for path in tmp_path.rglob("*") if (tmp_path / "state") not in (path, *path.parents)
    )


def test_an_ordinary_user(as_nobody: Command) -> None:
    up = as_nobody("up", "-")
    if up.returncode == 77:
        pytest.skip(up.stderr)
    assert up.returncode == 0, up.stderr

    def inside(script: str) -> str:
        return as_nobody("exec", "lab", "vm", "--", "sh", "-c", script).stdout

    assert inside("id -u; hostname") == "0\nvm\n"
    assert inside("echo changed > /etc/hostname; echo new > /usr/local/bin/new; cat /etc/hostname") == "changed\n"
    assert inside("cat /sys/class/dmi/id/product_uuid; ls /sys/class/net").splitlines()[1:] == ["eth0", "lo"]
    url = "http://169.254.169.254/metadata/instance/compute/name?api-version=2021-02-01&format=text"
    assert inside(f"curl -s -m 2 --noproxy '*' -H Metadata:true '{url}'") == "vm"
    assert inside("ip route add 198.51.100.0/24 via 10.77.0.1 && ip route").count("198.51.100.0/24") == 1
    assert as_nobody("down", "lab").stdout == "lab lab: ended\n"


def in_user_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the only user, and root, of a new user namespace."""
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", *command],
        input=json.dumps(ONE),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_root_of_a_user_namespace(name: str) -> None:
    """As in a rootless container: root already, yet not the machine's."""
    program = str(HERE / "lab")
    inner = [program, "exec", name, "vm", "--", "touch", "/etc/new"]
    done = in_user_namespace(program, "run", "-", "--name", name, "--", *inner)
    assert done.returncode == 0, done.stderr
    assert not Path("/etc/new").exists()


def test_refused_namespaces_are_one_line_and_exit_code_77(name: str) -> None:
    """The limit is the new user namespace's own; setting it leaves the machine's alone."""
    limit = Path("/proc/sys/user/max_user_namespaces")
    before = limit.read_text(encoding="ascii")
    # Without capabilities, the lab's only way would be a user namespace below this one.
    up = f'exec setpriv --bounding-set -all --inh-caps -all "$0" "{HERE / "start.py"}" up - --name {name}'
    done = in_user_namespace("sh", "-c", f"echo 0 > {limit} && {up}", sys.executable)
    message = "lab: this machine refuses user namespaces: "
    assert (done.returncode, done.stderr[: len(message)]) == (77, message)
    assert len(done.stderr.splitlines()) == 1
    assert limit.read_text(encoding="ascii") == before
