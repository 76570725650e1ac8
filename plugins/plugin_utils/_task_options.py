# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins of this collection ask of a task's options. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any


def unknown_options(
    given: Iterable[str], spec: Mapping[str, Any], module: str, internal: Collection[str] = ()
) -> str | None:
    """The message about options that the module does not have; None where it has them all.

    ActionBase.validate_argument_spec would name the action plugin's Python module instead of the one in the task.

    :param given: names of the task's options, defaults from module_defaults included
    :param module: the module's full name
    :param internal: options that the module has, but tasks are not told of
    """
    unknown = sorted(set(given).difference(spec))
    if not unknown:
        return None
    known = ", ".join(sorted(set(spec).difference(internal)))
    return (
        f"Unsupported parameters for ({module}) module: {', '.join(unknown)}. Supported parameters include: {known}. "
        "What the task does not set itself comes from module_defaults, maybe of the action group imds.azure.imds."
    )
