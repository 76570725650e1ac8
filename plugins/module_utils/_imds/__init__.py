# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IMDS core: private to this collection, standard library only, nothing of Ansible.

Zipped as it is, the package also is the local fact script, so it may only import itself and the standard library.
"""

from __future__ import annotations

__version__ = "0.1.0"
