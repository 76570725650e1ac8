# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled events: the document of IMDS, what a watcher posts, and the watcher's own files."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Iterator
from typing import Any, cast

from ansible_collections.imds.azure.plugins.module_utils._events import dates, document, phases, terms
from ansible_collections.imds.azure.plugins.module_utils._events.options import reading
from ansible_collections.imds.azure.plugins.module_utils._events.selection import selection
from ansible_collections.imds.azure.plugins.module_utils._events.service import Service
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.plugins.module_utils._watcher import commands, settings, state_file
from ansible_collections.imds.azure.plugins.module_utils._watcher.ledger import Ledger
from ansible_collections.imds.azure.plugins.plugin_utils._event_source.options import ReceiveOptions
from ansible_collections.imds.azure.plugins.plugin_utils._event_source.receiving import Receiver
from ansible_collections.imds.azure.tests.scenarios.imds.events import NOW, OTHER_ID, VM, raw_document, raw_event

from . import emulated
from .target import Target, as_json, assert_plain, assert_shown, assert_told

_DATE = "Tue, 16 Mar 2021 00:43:46 GMT"


def scheduled_events(data: bytes) -> None:
    """The body of an answer with status 200: typed events, or a reason without."""
    headers = {"server": "IMDS/150.870.65.1854", "content-type": "application/json", "date": _DATE}
    client = _client(lambda *_request, **_more: Response(200, headers, data, "10.1.0.4"))
    service = Service(reading({"endpoint": "http://127.0.0.1"}), client, lambda: NOW)
    service.vm_name = VM
    try:
        found = service.read()
    except ImdsError as error:
        _assert_unusable(error)
        return
    _used(found)


def _assert_unusable(error: ImdsError) -> None:
    assert error.reason.code in ("malformed", "too_large", "intercepted", "bad_version"), error.reason.code
    assert_shown(error.message)


def _client(answer: Any) -> Client:
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    return Client(Settings(), answer, lambda: passed[0], sleep, lambda _vm_id: None, answer)


def _used(found: document.Document) -> None:
    """All that modules and the watcher do with a document."""
    meant = selection({"within": 3600, "event_types": list(terms.EVENT_TYPES)})
    watch = phases.Watch()
    watch.see(found)
    shown = []
    for event in found.events:
        plain = event.as_dict()
        shown.append(plain)
        assert set(plain) == set(document.KEYS)
        assert event.not_before is None or dates.iso(dates.parse(event.not_before) or 0) == event.not_before
        assert (event.duration is None) or event.duration >= 0
        meant.matches(event)
        _assert_passed_on(commands.environment(phases.NEW, plain, VM))
    assert_plain(shown)
    document.soonest(found.events)
    # A watcher that is started again reports nothing twice. Events with the same ID are one.
    again = phases.Watch(json.loads(json.dumps(watch.state())))
    keys = [event.key for event in found.events]
    assert not again.see(found) or len(set(keys)) < len(keys)


def _assert_passed_on(environment: dict[bytes, bytes]) -> None:
    """The system takes the variables."""
    assert all(name and b"=" not in name and b"\0" not in name + value for name, value in environment.items())


def posted(data: bytes) -> None:
    """Bytes on a connection to the event source: one answer, and at most one message for rulebooks."""
    emitted: list[dict[str, Any]] = []

    async def emit(message: dict[str, Any]) -> None:
        emitted.append(message)

    async def serve() -> bytes:
        reader, writer = asyncio.StreamReader(limit=16 * 1024), _Writer()
        reader.feed_data(data)
        reader.feed_eof()
        receiver = Receiver(ReceiveOptions({"listen": "127.0.0.1:0", "token": "t"}), emit)
        await receiver._serve(reader, cast(asyncio.StreamWriter, writer))
        return bytes(writer.sent)

    sent = _loop().run_until_complete(serve())
    assert sent.startswith(b"HTTP/1.1 ")
    assert sent.endswith(b"\r\n\r\n") or b"\r\n\r\n" in sent
    assert len(emitted) == (1 if sent.startswith(b"HTTP/1.1 204 ") else 0)
    for message in emitted:
        assert set(document.KEYS) <= set(message["azure_scheduled_event"])
        assert_plain(message)


class _Writer:
    def __init__(self) -> None:
        self.sent = bytearray()

    def write(self, data: bytes) -> None:
        self.sent += data

    async def drain(self) -> None:
        """It is sent."""

    def close(self) -> None:
        """Nothing is open."""


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def watcher_files(data: bytes) -> None:
    """A watcher's state file, and the same text as its configuration."""
    try:
        assert settings.parse(data.decode("utf-8", "replace")).command
    except OptionError as error:
        assert_told(error)
    path = emulated.directory() / "state.json"
    path.write_bytes(data)
    try:
        state = state_file.read(str(path))
    except state_file.StateError:
        return
    assert state is not None
    content = raw_document(raw_event(), raw_event(OTHER_ID, None), incarnation=3)
    for seen in (content, raw_document(incarnation=2), raw_document(incarnation=9)):
        watch = phases.Watch(state["watch"])
        found = document.parse(seen, NOW, VM)
        changes = watch.see(found)
        ledger = Ledger(settings.PHASES, 2)
        ledger.resume(state["due"], [event.as_dict() for event in found.events])
        for change in changes:
            ledger.add(change.phase, change.event)
        for due in ledger.startable():
            _assert_passed_on(commands.environment(due.phase, due.event, VM))
        json.dumps({"watch": watch.state(), "due": ledger.as_json()})


def _documents() -> Iterator[bytes]:
    yield as_json(raw_document())
    yield as_json(raw_document(raw_event(), raw_event(OTHER_ID, None, EventType="Preempt", Resources=[VM, "b"])))
    yield as_json(raw_document(raw_event(NotBefore="2021-03-16T00:58:46.5+01:00", DurationInSeconds=9), incarnation=7))
    yield as_json(raw_document(raw_event(NotBefore="Tuesday, 16-Mar-21 00:58:46 GMT", EventSource="Platform")))
    yield as_json(raw_document(raw_event(NotBefore="Tue Mar 16 00:58:46 2021")))


def _requests() -> Iterator[bytes]:
    event = document.parse(raw_document(raw_event()), NOW, VM).events[0].as_dict()
    body = as_json(commands.message(phases.NEW, event, VM))
    head = b"POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Length: %d\r\n\r\n"
    yield head % len(body) + body
    yield (head % 9).replace(b"Bearer t", b"Bearer u") + body
    yield b"GET / HTTP/1.1\r\nAuthorization: Bearer t\r\n\r\n"


def _files() -> Iterator[bytes]:
    watch = phases.Watch()
    watch.see(document.parse(raw_document(raw_event(), raw_event(OTHER_ID)), NOW, VM))
    event = document.parse(raw_document(raw_event()), NOW, VM).events[0].as_dict()
    yield as_json({"format": state_file.FORMAT, "watch": watch.state(), "due": [{"phase": phases.NEW, "event": event}]})
    yield as_json({"format": state_file.FORMAT, "watch": {**watch.state(), "missed": [OTHER_ID]}, "due": []})
    yield as_json({"command": ["/bin/true", "a"], "state_file": "/a", "phases": ["new"], "interval": 1, "mine": False})


_FIELDS = (
    *b"Events DocumentIncarnation EventId EventStatus EventType ResourceType Resources NotBefore".split(),
    *b"Description EventSource DurationInSeconds Started Scheduled Preempt Platform _vm1 vm1".split(),
    *b"0001-01-01T00:00:00+23:59 9999-12-31T23:59:59-23:59".split(),
    b"31 Feb 21 00:00 GMT",
    b"Mon Jan  1 0:00:00 1",
)
_OWN = (
    *(
        name.encode()
        for name in (*document.KEYS, *phases.Watch().state(), "fingerprint", "event", "phase", "due", "watch")
    ),
    *b"format azure_scheduled_event meta host new gone updated started".split(),
    b"Content-Length: ",
    b"Authorization: Bearer t\r\n",
    b"\r\n\r\n",
    b"POST / HTTP/1.1\r\n",
)

TARGETS = (
    Target("scheduled_events", "the document of scheduled events", scheduled_events, _documents, _FIELDS),
    Target("posted_events", "bytes on a connection to the event source", posted, _requests, _OWN),
    Target("watcher_files", "the watcher's state file and its configuration", watcher_files, _files, _OWN),
)
