# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.plugin_utils._filter_input import require_defined


def tag(value: Any, name: Any, default: Any = None) -> Any:
    """The value of the tag with this name, in whatever case; the default where the VM has no such tag.

    :param value: the azure_imds fact, or the tags in it
    :raises AnsibleFilterError: for anything else, and for a name that is not text
    """
    require_defined(value, name)
    if not isinstance(name, str) or not name:
        raise AnsibleFilterError(f"imds.azure.tag: expects the name of a tag, not {name!r}")
    tags = value.get("tags", value) if isinstance(value, Mapping) else None
    if isinstance(tags, str):  # a tag that is called tags
        tags = value
    if not isinstance(tags, Mapping):
        raise AnsibleFilterError(
            "imds.azure.tag: expects ansible_facts.azure_imds or its tags, a dictionary, "
            f"not {type(value if tags is None else tags).__name__}"
        )
    if name in tags:
        return tags[name]
    return next((tags[key] for key in tags if isinstance(key, str) and key.lower() == name.lower()), default)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"tag": tag}
