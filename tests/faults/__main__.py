# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m ansible_collections.imds.azure.tests.faults

Prints the fault matrix of the Python core. `make generate` writes it into the documentation.
"""

from __future__ import annotations

from .matrix import in_python

if __name__ == "__main__":
    for operation, cells in in_python().items():
        for fault, cell in cells.items():
            print(f"{operation:12} {fault:45} {cell.code:28} {cell.seconds:6.1f} of {cell.deadline:g} s")
