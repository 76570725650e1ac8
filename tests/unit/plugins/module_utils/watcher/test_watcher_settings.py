# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watcher's configuration: what is refused, and with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._watcher.settings import PHASES, parse

LEAST: dict[str, Any] = {"command": ["/bin/true"], "state_file": "/var/lib/watcher/state.json"}


def test_defaults() -> None:
    settings = parse(json.dumps(LEAST))
    assert settings.command == ["/bin/true"]
    assert settings.phases == ["new", "started", "gone"]
    assert (settings.interval, settings.longest_wait, settings.command_timeout) == (1, 10, 3600)
    assert settings.api_version == "2020-07-01"
    assert settings.selection.mine
    assert settings.selection.event_types is None
    assert settings.imds.address == ("169.254.169.254", 80)
    assert settings.imds.detect == "auto"


def test_everything_given() -> None:
    given = {
        **LEAST,
        "phases": list(PHASES),
        "interval": 0,
        "longest_wait": 60,
        "command_timeout": 1.5,
        "stop_timeout": 0,
        "api_version": "newest",
        "event_types": ["Preempt"],
        "sources": ["Platform"],
        "mine": False,
        "detect": "force",
        "endpoint": "http://127.0.0.1:8169",
        "connect_timeout": 1,
        "read_timeout": 2,
    }
    settings = parse(json.dumps(given))
    assert settings.interval == 0
    assert settings.selection.event_types == ["Preempt"]
    assert not settings.selection.mine
    assert settings.imds.address == ("127.0.0.1", 8169)
    assert settings.imds.read_timeout == 2


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"command": None}, "command: None is not a list"),
        ({"command": []}, "command: "),
        ({"command": "/bin/true"}, "command: '/bin/true' is not a list"),
        ({"command": ["true"]}, "command: 'true' is not an absolute path"),
        ({"command": ["/bin/true", 1]}, "command: "),
        ({"command": ["/bin/true", "a\0"]}, "command: "),
        ({"state_file": None}, "state_file: "),
        ({"state_file": "state"}, "state_file: 'state' is not an absolute path"),
        ({"phases": []}, "phases: "),
        ({"phases": ["begun"]}, "phases: ['begun'] is not a list of some of new, updated, started, gone"),
        ({"interval": -1}, "interval: -1 is not a usable time; give 0 to 60 seconds"),
        ({"interval": 61}, "interval: "),
        ({"interval": "1"}, "interval: "),
        ({"interval": True}, "interval: "),
        ({"longest_wait": 0}, "longest_wait: "),
        ({"command_timeout": 0}, "command_timeout: 0 is not a usable time; give 1 to 86400 seconds"),
        ({"stop_timeout": -1}, "stop_timeout: "),
        ({"api_version": "2025-01-01"}, "api_version: '2025-01-01' is not one of "),
        ({"event_types": ["Explosion"]}, "event_types: 'Explosion' is not one of Freeze, "),
        ({"event_types": "Preempt"}, "event_types: 'Preempt' is not a list"),
        ({"sources": ["Me"]}, "sources: 'Me' is not one of "),
        ({"mine": "yes"}, "mine: 'yes' is not true or false"),
        ({"endpoint": "http://192.0.2.1"}, "endpoint: "),
        ({"detect": "never"}, "detect: 'never' is not one of auto, force"),
        ({"read_timeout": 0}, "read_timeout: "),
        ({"comand": ["/bin/true"]}, "comand: is not known; there are phases, "),
    ],
    ids=str,
)
def test_what_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse(json.dumps({**LEAST, **given}))
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000], ids=["empty", "half", "list", "null", "deep"])
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(OptionError, match="configuration: is not "):
        parse(text)
