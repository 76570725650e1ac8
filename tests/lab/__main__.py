# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: ``tests/lab/lab up|down|exec|ssh|status|inventory|run``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import api, sshd
from .errors import LabError, SpecError
from .inventory import inventory
from .spec import FABRIC
from .state import Place, lab_dir


def _document(path: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"SPEC: cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise SpecError(f"SPEC: {path} is no JSON: {error}") from None


def _member(place: Place, name: str) -> str:
    if not place.alive():
        raise LabError(f"lab {place.name} is not up")
    if name not in place.members():
        raise LabError(f"VM: lab {place.name} has no {name!r}; it has {', '.join(place.members())}")
    return name


def _needed(command: list[str]) -> list[str]:
    if not command:
        raise SpecError("CMD: nothing to run; write it behind --")
    return command


def _exec(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise LabError(f"{command[0]}: {error.strerror}") from None


def _up(options: argparse.Namespace) -> int:
    place = api.up(_document(options.spec), options.name)
    print(json.dumps({"name": place.name, "path": str(place.path), "members": place.members()}))
    return 0


def _down(options: argparse.Namespace) -> int:
    was_up = api.down(options.name)
    print(f"lab {options.name}: {'ended' if was_up else 'was not up'}")
    return 0


def _run_inside(options: argparse.Namespace) -> int:
    place = Place.named(options.name)
    _exec(api.argv(place, _member(place, options.vm), _needed(options.command)))


def _ssh(options: argparse.Namespace) -> int:
    place = Place.named(options.name)
    for vm in api.topology(place).vms:
        if vm.name == options.vm and vm.sshd:
            _exec([*sshd.command(vm, place), *options.command])
    raise LabError(f"VM: lab {place.name} has no {options.vm!r} with sshd")


def _status(options: argparse.Namespace) -> int:
    names = [options.name] if options.name else sorted(path.name for path in lab_dir().glob("*/") if path.is_dir())
    states = {}
    for name in names:
        place = Place.named(name)
        states[name] = {"up": place.alive() is not None, "members": {m: place.alive(m) for m in place.members()}}
    print(json.dumps(states, indent=1))
    return 0 if all(state["up"] for state in states.values()) else 1


def _inventory(options: argparse.Namespace) -> int:
    place = Place.named(options.name)
    print(json.dumps(inventory(api.topology(place), place), indent=1))
    return 0


def _run(options: argparse.Namespace) -> int:
    command = _needed(options.command)
    name = options.name or f"run-{os.getpid()}"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _ignored: sys.exit(128 + number))
    place = api.up(_document(options.spec), name)
    try:
        file = place.path / "inventory.json"
        file.write_text(json.dumps(inventory(api.topology(place), place), indent=1), encoding="utf-8")
        environment = {"LAB_NAME": name, "LAB_DIR": str(place.path.parent), "LAB_INVENTORY": str(file)}
        return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode
    except OSError as error:
        raise LabError(f"CMD: {command[0]}: {error.strerror}") from None
    finally:
        api.down(name)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    description = "Network namespaces as an Azure fabric and its VMs."
    epilog = "exec, ssh and run take a command behind --, as in: lab exec NAME VM -- ip route"
    top = argparse.ArgumentParser(prog="lab", description=description, epilog=epilog)
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, main: Any, summary: str) -> argparse.ArgumentParser:
        result = verbs.add_parser(name, help=summary, description=summary)
        result.set_defaults(main=main)
        return result

    one = verb("up", _up, "Start a lab.")
    one.add_argument("spec", metavar="SPEC", help="the topology, a JSON file, or - for standard input")
    one.add_argument("--name", default="lab", metavar="NAME", help="(%(default)s)")
    one = verb("down", _down, "End a lab, and all it started.")
    one.add_argument("name", metavar="NAME")
    one = verb("exec", _run_inside, f"Run a command inside a VM, or in the {FABRIC}.")
    one.add_argument("name", metavar="NAME")
    one.add_argument("vm", metavar="VM")
    one = verb("ssh", _ssh, "Go by ssh into a VM that has sshd.")
    one.add_argument("name", metavar="NAME")
    one.add_argument("vm", metavar="VM")
    one = verb("status", _status, "Tell what is up; exit code 1 if something is not.")
    one.add_argument("name", metavar="NAME", nargs="?", default="")
    one = verb("inventory", _inventory, "Print an Ansible inventory of the VMs.")
    one.add_argument("name", metavar="NAME")
    one = verb("run", _run, "Start a lab, run a command on the controller, end the lab.")
    one.add_argument("spec", metavar="SPEC", help="as in up")
    one.add_argument("--name", default="", metavar="NAME", help="(run-PID)")
    return top


def main() -> int:
    """Run one verb. Exit codes: 0, 1 it failed, 2 bad input, 77 no namespaces here; exec and run: the command's own."""
    words, command = sys.argv[1:], []
    if "--" in words:
        words, command = words[: words.index("--")], words[words.index("--") + 1 :]
    options = parser().parse_args(words, argparse.Namespace(command=command))
    try:
        return int(options.main(options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
