# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter parse_tags."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.module_utils._imds import tags
from ansible_collections.imds.azure.plugins.plugin_utils._filter_input import require_defined


def parse_tags(value: Any) -> dict[str, str]:
    """Tags in either form of IMDS -> {name: value}.

    :raises AnsibleFilterError: for anything but a string or a list of {name, value}
    """
    require_defined(value)
    if isinstance(value, str):
        return tags.from_string(value)[0]
    if not isinstance(value, list):
        raise _error(type(value).__name__)
    for entry in value:
        if not _is_tag(entry):
            raise _error(f"a list with {entry!r}")
    return tags.from_list(value)


def _is_tag(entry: Any) -> bool:
    """Numbers are refused: a tag is text, and what stands behind `value: 1.10` is for its author to say."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return False
    return entry.get("value") is None or isinstance(entry["value"], str)


def _error(found: str) -> AnsibleFilterError:
    return AnsibleFilterError(
        "imds.azure.parse_tags: expects tags as a string 'Name:Value;Name:Value' or as a list of {name, value}, "
        f"each of them a string, not {found}"
    )


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"parse_tags": parse_tags}
