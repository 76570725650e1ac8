# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IMDS core: private to this collection, standard library only, nothing of Ansible.

Zipped as it is, the package also is the local fact script, so it may only import itself and the standard library.
"""

from __future__ import annotations

import sys
from zipimport import zipimporter

__version__ = "0.2.0"


class _Archive(zipimporter):
    """Loads each module once: Python's own also loads one to tell its file name, and throws that away."""

    def get_filename(self, fullname: str) -> str:
        path = f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}"
        return f"{path}/__init__.py" if self.is_package(fullname) else f"{path}.py"


def load_once(package: str) -> None:
    """Spare the modules of a package the second load, where it lies in a zip.

    Ansible sends sources in one, and to compile these takes longer than to ask IMDS.
    """
    module = sys.modules[package]
    if isinstance(module.__loader__, zipimporter):
        sys.path_importer_cache[module.__path__[0]] = _Archive(module.__path__[0])


load_once(__name__)
