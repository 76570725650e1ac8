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

# Three VMs that a play can tell apart, for a start.
EXAMPLE = {
    "vms": [
        {"name": "web1", "zone": "1", "tags": {"role": "web", "environment": "test"}, "groups": ["web"]},
        {"name": "web2", "zone": "2", "tags": {"role": "web", "environment": "test"}, "groups": ["web"]},
        {"name": "db1", "zone": "3", "tags": {"role": "db", "environment": "test"}, "groups": ["db"]},
    ]
}
_SPEC_REMEDY = "lab example prints a topology to start from"


def _document(path: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"SPEC: cannot read {path}: {error.strerror}; {_SPEC_REMEDY}") from None
    except (ValueError, RecursionError) as error:
        where = "standard input" if path == "-" else path
        raise SpecError(f"SPEC: {where} is not JSON: {error}; {_SPEC_REMEDY}") from None


def _member(place: Place, name: str) -> str:
    api.check_up(place)
    if name not in place.members():
        raise LabError(f"VM: lab {place.name} has no {name!r}; it has {', '.join(place.members())}")
    return name


def _needed(command: list[str]) -> list[str]:
    if not command:
        raise SpecError("CMD: there is no command to run; write it after --, as in: lab exec lab web1 -- ip route")
    return command


def _exec(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise LabError(f"{command[0]}: {error.strerror}") from None


def _up(options: argparse.Namespace) -> int:
    place = api.up(_document(options.spec), options.name)
    about = {"name": place.name, "path": str(place.path), "inventory": str(place.inventory)}
    print(json.dumps({**about, "members": place.members()}))
    return 0


def _example(_options: argparse.Namespace) -> int:
    print(json.dumps(EXAMPLE, indent=1))
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
    raise LabError(f'VM: lab {place.name} has no {options.vm!r} with sshd; give the VM "sshd": true in the topology')


def _status(options: argparse.Namespace) -> int:
    names = [options.name] if options.name else sorted(path.parent.name for path in lab_dir().glob("*/members"))
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
        environment = {"LAB_NAME": name, "LAB_DIR": str(place.path.parent), "LAB_INVENTORY": str(place.inventory)}
        return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode
    except OSError as error:
        raise LabError(f"CMD: {command[0]}: {error.strerror}") from None
    finally:
        api.down(name)


DESCRIPTION = """\
Emulated Azure VMs on this machine, to test playbooks without Azure. Each VM is a set of Linux namespaces with its own
network cards, routes, files and firmware tables, and gets answers from the IMDS emulator on 169.254.169.254."""
EPILOG = """\
Start with three VMs that have different zones and tags:
  lab example > three.json
  lab up three.json --name demo
  lab inventory demo > inventory.json
  ansible-playbook -i inventory.json site.yml
  lab exec demo web1 -- ip route
  lab down demo

exec, ssh and run take a command after --. The topology's fields are in the guide "Test your playbooks without Azure".
Labs are kept in $LAB_DIR, by default $XDG_STATE_HOME/imds.azure/lab (~/.local/state/imds.azure/lab).
Exit codes: 0; 1 it failed; 2 bad input; 77 this machine cannot run a lab; exec and run: the command's own."""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="lab", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, main: Any, summary: str) -> argparse.ArgumentParser:
        result = verbs.add_parser(name, help=summary, description=summary)
        result.set_defaults(main=main)
        return result

    one = verb("up", _up, "Start a lab.")
    one.add_argument("spec", metavar="SPEC", help="topology: a JSON file, or - for standard input")
    one.add_argument("--name", default="lab", metavar="NAME", help="name of the lab (%(default)s)")
    one = verb("down", _down, "End a lab and everything in it.")
    one.add_argument("name", metavar="NAME")
    one = verb("exec", _run_inside, f"Run a command inside a VM, or in the {FABRIC}.")
    one.add_argument("name", metavar="NAME")
    one.add_argument("vm", metavar="VM")
    one = verb("ssh", _ssh, "Log in to a VM that has sshd, or run a command there, over real SSH.")
    one.add_argument("name", metavar="NAME")
    one.add_argument("vm", metavar="VM")
    one = verb("status", _status, "Show which labs and VMs are up; exit code 1 if one is not.")
    one.add_argument("name", metavar="NAME", nargs="?", default="")
    one = verb("inventory", _inventory, "Print an Ansible inventory of the VMs.")
    one.add_argument("name", metavar="NAME")
    one = verb("run", _run, "Start a lab, run a command on this machine, end the lab.")
    one.add_argument("spec", metavar="SPEC", help="topology: a JSON file, or - for standard input")
    one.add_argument("--name", default="", metavar="NAME", help="name of the lab (run-PID)")
    verb("example", _example, "Print a topology of three VMs, with zones and tags, to start from.")
    return top


def main() -> int:
    """Run one verb. Exit codes: see EPILOG."""
    words, command = sys.argv[1:], []
    if "--" in words:
        words, command = words[: words.index("--")], words[words.index("--") + 1 :]
    options = parser().parse_args(words, argparse.Namespace(command=command))
    try:
        return int(options.main(options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"lab: {error.filename or 'LAB_DIR'}: {error.strerror or error}", file=sys.stderr)
        return LabError.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
