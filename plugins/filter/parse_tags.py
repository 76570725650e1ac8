# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter parse_tags."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.module_utils._imds import tags


def parse_tags(value: Any) -> dict[str, str]:
    """Tags in either form of IMDS -> {name: value}.

    :raises AnsibleFilterError: for anything but a string or a list of {name, value}
    """
    if isinstance(value, str):
        return tags.from_string(value)[0]
    if isinstance(value, list) and all(isinstance(entry, dict) and "name" in entry for entry in value):
        return tags.from_list(value)
    raise AnsibleFilterError(
        "imds.azure.parse_tags: expects tags as a string 'Name:Value;Name:Value' or as a list of {name, value}, "
        f"not {type(value).__name__}"
    )


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"parse_tags": parse_tags}
