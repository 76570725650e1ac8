# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that runs us: whether it is new enough, and how it loads us.

What a program imports first. Python 3.6 must be able to compile this file, and every file in plugins/modules; an older
ansible-core still runs modules on it. Hence no ``from __future__ import annotations``.
"""

import json
import os
import sys
from typing import Callable
from zipimport import zipimporter

OLDEST = (3, 9)


def start(end: Callable[[str], object], setting: str = "ansible_python_interpreter") -> None:
    """End the program where Python is too old for the files that it imports next, else make their import cheaper.

    :param end: ends the program with a sentence
    :param setting: what the user sets to choose the interpreter
    """
    if sys.version_info < OLDEST:
        end(complaint(setting))
    _load_once()


def complaint(setting: str) -> str:
    """One sentence: what was found, what is needed, what to set."""
    needed = ".".join(map(str, OLDEST))
    found = ".".join(map(str, sys.version_info[:3]))
    newer = [f"/usr/bin/python3.{minor}" for minor in range(30, OLDEST[1] - 1, -1)]
    newer = [path for path in newer if os.access(path, os.X_OK)]
    there = f"a newer one, such as {newer[0]}, which is installed" if newer else "a newer one"
    return (
        f"imds.azure needs Python {needed} or newer on the host, and {sys.executable} is Python {found}: "
        f"set {setting} to {there}."
    )


def fail_module(sentence: str) -> None:
    """End a module as fail_json does."""
    sys.stdout.write(json.dumps({"failed": True, "msg": sentence}) + "\n")
    raise SystemExit(1)


class _Archive(zipimporter):
    """Loads each module once: Python's own also loads one to tell its file name, and throws that away."""

    def get_filename(self, fullname: str) -> str:
        path = f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}"
        return f"{path}/__init__.py" if self.is_package(fullname) else f"{path}.py"


def _load_once() -> None:
    """Spare our modules the second load, where they lie in a zip.

    Ansible sends sources in one, and compiling these takes longer than asking IMDS.
    """
    if not isinstance(sys.modules[__name__].__loader__, zipimporter):
        return
    folder = __file__.rsplit("/", 2)[0]

    def hook(path: str) -> zipimporter:
        if not path.startswith(folder):
            raise ImportError
        return _Archive(path)

    sys.path_hooks.insert(0, hook)
    for path in [path for path in sys.path_importer_cache if path.startswith(folder)]:
        del sys.path_importer_cache[path]
