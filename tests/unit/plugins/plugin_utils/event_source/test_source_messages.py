# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the event source accepts: its arguments, and the messages that are posted to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._events import document
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._watcher import commands
from ansible_collections.imds.azure.plugins.plugin_utils._event_source import message
from ansible_collections.imds.azure.plugins.plugin_utils._event_source.options import ReceiveOptions, receives
from ansible_collections.imds.azure.plugins.plugin_utils._event_source.repeats import Repeats
from ansible_collections.imds.azure.tests.scenarios.imds.events import ID, NOW, OTHER_ID, VM, raw_document, raw_event


def posted(phase: str = "new", host: str = VM, **fields: Any) -> dict[str, Any]:
    """What a watcher posts."""
    event = document.parse(raw_document(raw_event(**fields)), NOW, VM).events[0].as_dict()
    return commands.message(phase, event, host)


# --- arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:5020", ("127.0.0.1", 5020)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("[::1]:5020", ("::1", 5020)),
        ("[::]:5020", ("::", 5020)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert ReceiveOptions({"listen": text, "token": "t"}).address == address


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"listen": "5020"}, "listen: '5020' is not of the form ADDRESS:PORT"),
        ({"listen": "localhost:5020"}, "listen: "),
        ({"listen": ":5020"}, "listen: "),
        ({"listen": "127.0.0.1:65536"}, "listen: '65536' is not a port"),
        ({"listen": "127.0.0.1:+1"}, "listen: "),
        ({"listen": 5020}, "listen: 5020 is not a text"),
        ({"listen": "0.0.0.0:5020"}, "token: is required, because others can reach 0.0.0.0"),
        ({"listen": "127.0.0.1:1", "token": ""}, "token: its value is not a text"),
        ({"listen": "127.0.0.1:1", "token": 7}, "token: "),
        ({"listen": "127.0.0.1:1", "token": "a b"}, "token: contains"),
        ({"listen": "127.0.0.1:1", "token": "ü"}, "token: contains"),
        ({"listen": "127.0.0.1:1", "keyfile": "key.pem"}, "keyfile: needs certfile"),
        ({"listen": "127.0.0.1:1", "interval": 1}, "interval: does not go with listen"),
    ],
    ids=str,
)
def test_arguments_that_are_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(OptionError) as caught:
        ReceiveOptions(given)
    assert str(caught.value).startswith(complaint)


def test_a_complaint_does_not_tell_the_token() -> None:
    with pytest.raises(OptionError) as caught:
        ReceiveOptions({"listen": "127.0.0.1:1", "token": "s3cr t"})
    assert "s3cr" not in str(caught.value)


def test_with_listen_it_receives() -> None:
    assert receives({"listen": "127.0.0.1:1"})
    assert not receives({"interval": 1})


# --- messages -----------------------------------------------------------------------------------------------------


def test_what_a_watcher_posts_is_accepted() -> None:
    given = posted()
    assert message.parse(json.dumps(given).encode()) == given


def test_keys_of_another_release() -> None:
    """Those that it lacks are null; those that it adds are kept."""
    given = posted()
    del given["azure_scheduled_event"]["duration_raw"]
    given["azure_scheduled_event"]["later"] = 1
    given["meta"]["uuid"] = "mine"
    parsed = message.parse(json.dumps(given).encode())
    assert parsed["azure_scheduled_event"]["duration_raw"] is None
    assert parsed["azure_scheduled_event"]["later"] == 1
    assert parsed["meta"] == {"phase": "new", "host": VM}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"azure_scheduled_event": {"event_id": "A", "resources": []}}',
        b'{"azure_scheduled_event": {"event_id": "A", "resources": []}, "meta": {"phase": "over", "host": "a"}}',
        b'{"azure_scheduled_event": {"event_id": "A", "resources": []}, "meta": {"phase": "new", "host": ""}}',
        b'{"azure_scheduled_event": {"event_id": 1, "resources": []}, "meta": {"phase": "new", "host": "a"}}',
        b'{"azure_scheduled_event": {"event_id": "A", "resources": 1}, "meta": {"phase": "new", "host": "a"}}',
        b'{"azure_scheduled_event": {"event_id": "A", "resources": [NaN]}, "meta": {"phase": "new", "host": "a"}}',
    ],
    ids=lambda body: repr(body[:60]),
)
def test_what_is_no_message(body: bytes) -> None:
    with pytest.raises(message.MessageError):
        message.parse(body)


# --- repeats ------------------------------------------------------------------------------------------------------


def test_the_same_message_again() -> None:
    repeats = Repeats()
    assert repeats.is_new(posted())
    assert not repeats.is_new(posted())
    # Only the seconds count down.
    assert not repeats.is_new(posted(NotBefore="Tue, 16 Mar 2021 00:58:46 GMT"))


def test_what_is_news() -> None:
    repeats = Repeats()
    assert repeats.is_new(posted())
    assert repeats.is_new(posted(host="vm2"))
    assert repeats.is_new(posted(event_id=OTHER_ID))
    assert repeats.is_new(posted("updated", notice=1200))
    assert repeats.is_new(posted("updated", notice=1800))
    assert repeats.is_new(posted("started", notice=None))
    assert repeats.is_new(posted("gone", notice=None))
    assert not repeats.is_new(posted("gone", notice=None, event_id=ID.lower()))


def test_only_so_many_are_remembered() -> None:
    repeats = Repeats(most=3)
    for host in ("a", "b", "c", "d"):
        assert repeats.is_new(posted(host=host))
    assert len(repeats._last) == 3
    assert not repeats.is_new(posted(host="d"))
    assert repeats.is_new(posted(host="a"))
