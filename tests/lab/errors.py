# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's errors, and the exit code of each on the command line."""

from __future__ import annotations


class LabError(Exception):
    """Something failed; the text says what, and what to do about it."""

    exit_code = 1


class SpecError(LabError):
    """A field of the topology is wrong; the text starts with the field's path."""

    exit_code = 2


class RefusedError(LabError):
    """This machine cannot run a lab. Test drivers read exit code 77 as "skipped"."""

    exit_code = 77
