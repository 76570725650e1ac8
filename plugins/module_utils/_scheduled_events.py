# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec that the modules for scheduled events share. PRIVATE to this collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.imds.azure.plugins.module_utils import _module
from ansible_collections.imds.azure.plugins.module_utils._events import options, selection, terms


def argument_spec() -> dict[str, Any]:
    """The options of the doc fragments _scheduled_events and _imds, as a new dictionary that may be extended."""
    words = {
        name: {"type": "list", "elements": "str", "choices": list(known)} for name, known in selection.WORDS.items()
    }
    return {
        **_module.argument_spec(),
        "api_version": {"type": "str", "default": terms.DEFAULT},
        "first_timeout": {"type": "float", "default": options.FIRST_TIMEOUT},
        **words,
        "event_ids": {"type": "list", "elements": "str"},
        "mine": {"type": "bool", "default": True},
        "within": {"type": "int"},
    }


def info_argument_spec() -> dict[str, Any]:
    """The options of azure_imds_scheduled_events_info."""
    return {**argument_spec(), "required": {"type": "bool", "default": True}}
