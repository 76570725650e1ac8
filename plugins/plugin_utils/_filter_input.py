# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What filters are given."""

from __future__ import annotations

from typing import Any

from jinja2 import Undefined


def require_defined(*values: Any) -> None:
    """Have the name of an undefined variable reported. ansible-core before 2.19 hands such variables to filters.

    :raises jinja2.UndefinedError: for the first value that is undefined
    """
    for value in values:
        if isinstance(value, Undefined):
            # Whatever is done with it raises the error that knows the variable's name.
            str(value)
