# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IMDS core: private to this collection, standard library only, nothing of Ansible.

Zipped as it is, the package also is the local fact script, so it may only import itself and the standard library.
"""

from __future__ import annotations

import sys
from zipimport import zipimporter

__version__ = "0.1.0"


class _Archive(zipimporter):
    """Reads each module once: Python's own importer also loads a module to tell its file name, and throws that away."""

    def get_filename(self, fullname: str) -> str:
        return f"{self.archive}/{self.prefix}{fullname.rpartition('.')[2]}.py"


# On a managed host the core lies in a zip, as source, and to compile it takes longer than to ask IMDS.
if __spec__ and isinstance(__spec__.loader, zipimporter):
    sys.path_importer_cache[__path__[0]] = _Archive(__path__[0])
