# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trusted. Data only."""

from __future__ import annotations

from typing import NamedTuple

from .dependencies import x509


class Trust(NamedTuple):
    """What is trusted: these anchors and, if ``builtin``, Azure's roots wherever their bytes come from.

    ``bundles`` are the CA bundles in which these were looked for.
    """

    anchors: tuple[x509.Certificate, ...]
    builtin: bool = False
    bundles: tuple[str, ...] = ()
