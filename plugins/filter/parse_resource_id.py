# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter parse_resource_id."""

from __future__ import annotations

import re
from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.imds.azure.plugins.plugin_utils._filter_input import require_defined

_SHAPE = re.compile(
    r"/subscriptions/(?P<subscription_id>[^/\n]+)"
    r"(?:/resourceGroups/(?P<resource_group_name>[^/\n]+))?"
    r"(?:/providers/(?P<provider>[^/\n]+)(?P<rest>(?:/[^/\n]+/[^/\n]+)*/(?!providers/)[^/\n]+/[^/\n]+))?/?",
    re.IGNORECASE,
)


def parse_resource_id(value: Any) -> dict[str, Any]:
    """Azure resource ID -> its parts; parents lists the resources around the innermost, outermost first.

    A resource may extend one of another provider: /providers/PROVIDER stands again then, and the last one counts.

    :raises AnsibleFilterError: for anything that is not a resource ID
    """
    require_defined(value)
    match = _SHAPE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise AnsibleFilterError(
            "imds.azure.parse_resource_id: expects "
            f"/subscriptions/ID[/resourceGroups/NAME][/providers/PROVIDER/TYPE/NAME...], not {value!r}"
        )
    words = (match["rest"] or "").split("/")[1:]
    provider = match["provider"]
    resources = []
    for kind, name in zip(words[::2], words[1::2]):
        if kind.lower() == "providers":
            provider = name
        else:
            resources.append({"type": kind, "name": name})
    innermost = resources[-1] if resources else {"type": None, "name": None}
    return {
        "subscription_id": match["subscription_id"],
        "resource_group_name": match["resource_group_name"],
        "provider": provider,
        "type": innermost["type"],
        "name": innermost["name"],
        "parents": resources[:-1],
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"parse_resource_id": parse_resource_id}
