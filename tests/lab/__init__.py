# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A laboratory of network namespaces: one fabric with the IMDS emulator, and any number of VMs."""

from __future__ import annotations
