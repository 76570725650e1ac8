# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gets the tools: from the machine's PATH, or into a directory of its own, never into the machine.

Each function returns the programs that it has brought, by the names that the commands of `tools` use in braces.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# The programs in a VM of the lab are found along this path.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The distribution's, on which its cloud-init runs.
_PYTHON = "/usr/bin/python3"
# What Debian's package of cloud-init needs of PyPI.
_CLOUD_INIT_NEEDS = ("configobj", "jinja2", "jsonpatch", "jsonschema", "oauthlib", "pyyaml", "requests")
_SECONDS = 1200

Programs = Mapping[str, str]


class MissingError(Exception):
    """A tool can't be had here. The text is the reason, as the table has it."""


def on_path(*programs: str) -> Callable[[Path], Programs]:
    """An installer of what has to be there already."""

    def find(_build: Path) -> Programs:
        found = {program: shutil.which(program, path=PATH) for program in programs}
        for program, path in found.items():
            if not path:
                raise MissingError(f"``{program}`` is not installed")
        return {program: str(path) for program, path in found.items()}

    return find


def venv(name: str, *packages: str, pythons: Sequence[str] = ()) -> Callable[[Path], Programs]:
    """An installer of packages from PyPI into a virtual environment: its directory of programs, by the name.

    :param pythons: the first of these that is installed makes the environment; by default the one that runs this
    """

    def make(build: Path) -> Programs:
        home = build / name
        ready = home / ".ready"
        python = next((path for path in map(shutil.which, pythons) if path), None) if pythons else sys.executable
        if not python:
            raise MissingError(f"it needs {' or '.join(pythons)}, and none is installed")
        wanted = " ".join((python, *packages))
        if not ready.is_file() or ready.read_text(encoding="utf-8") != wanted:
            _run([python, "-m", "venv", "--clear", str(home)], name)
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*pip, *packages], f"PyPI's {name}")
            ready.write_text(wanted, encoding="utf-8")
        return {name: str(home / "bin")}

    return make


def cloud_init(build: Path) -> Programs:
    """cloud-init of the machine; else that of its distribution, unpacked: installed, it would run at the next boot."""
    if program := shutil.which("cloud-init", path=PATH):
        return {"cloud-init": program, "cloud-init-modules": ""}
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise MissingError("``cloud-init`` is not installed, and this is not a Debian to take it from")
    home = build / "cloud-init"
    modules = home / "usr" / "lib" / "python3" / "dist-packages"
    if not modules.is_dir():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _run(["apt-get", "download", "cloud-init"], "Debian's cloud-init", home)
        (package,) = home.glob("cloud-init_*.deb")
        pip = [sys.executable, "-m", "pip", "--python", _PYTHON, "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--target", str(home / "needs"), *_CLOUD_INIT_NEEDS], "what cloud-init needs of PyPI")
        _run(["dpkg-deb", "--extract", str(package), str(home)], "Debian's cloud-init")
    program = str(home / "usr" / "bin" / "cloud-init")
    return {"cloud-init": program, "cloud-init-modules": f"{modules}:{home / 'needs'}"}


def _run(command: Sequence[str], what: str, folder: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=_SECONDS)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise MissingError(f"{what} cannot be installed: {last}")
