# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one word by which the short ways of asking a host hand a task over to the ordinary module."""

from __future__ import annotations


class DeclinedError(Exception):
    """A host can't be asked the short way, or gave no usable answer; nothing is lost, because the module can run.

    :param reason: why, for the log: a part of a sentence without anything that a host sent
    """
