# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server that watchers post to, over loopback; and the command that posts."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._watcher import post
from ansible_collections.imds.azure.plugins.plugin_utils._event_source import receiving
from ansible_collections.imds.azure.plugins.plugin_utils._event_source.options import ReceiveOptions

EVENT = {"event_id": "A", "event_status": "Scheduled", "resources": ["vm1"]}
MESSAGE = json.dumps({"azure_scheduled_event": EVENT, "meta": {"phase": "new", "host": "vm1"}}).encode()
TOKEN = "t0ken"


def request(body: bytes = MESSAGE, verb: str = "POST", **headers: str) -> bytes:
    sent = {"Content-Length": str(len(body)), "Authorization": f"Bearer {TOKEN}", **headers}
    lines = [f"{verb} / HTTP/1.1", *(f"{name.replace('_', '-')}: {text}" for name, text in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def serve(
    action: Callable[[tuple[str, int]], Any], deadline: float = 10.0, **options: Any
) -> tuple[Any, list[dict[str, Any]]]:
    """What an action that blocks returns, and what the server has emitted meanwhile."""
    emitted: list[dict[str, Any]] = []

    async def emit(found: dict[str, Any]) -> None:
        emitted.append(found)

    async def run() -> Any:
        given = ReceiveOptions({"listen": "127.0.0.1:0", "token": TOKEN, **options})
        server = await receiving.Receiver(given, emit, deadline).start()
        async with server:
            address = server.sockets[0].getsockname()[:2]
            return await asyncio.get_running_loop().run_in_executor(None, action, address)

    return asyncio.run(run()), emitted


def send(*requests: bytes) -> Callable[[tuple[str, int]], list[bytes]]:
    """Sends each on a connection of its own; the answers."""

    async def one(address: tuple[str, int], content: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(content)
        # No answer waits for the end of the connection.
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return answer

    async def all_of_them(address: tuple[str, int]) -> list[bytes]:
        return [await one(address, content) for content in requests]

    return lambda address: asyncio.run(all_of_them(address))


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def test_a_message_is_emitted_once() -> None:
    answers, emitted = serve(send(request(), request()))
    assert [status(answer) for answer in answers] == [204, 204]
    assert [found["azure_scheduled_event"]["event_id"] for found in emitted] == ["A"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (request(Authorization="Bearer wrong"), 401),
        (request(Authorization="t0ken"), 401),
        (request(Authorization="\u00fc"), 401),
        (b"GET / HTTP/1.1\r\n\r\n", 401),
        (request(verb="GET"), 405),
        (request(b"{}"), 400),
        (request(Content_Length="-1"), 411),
        (request(Content_Length=""), 411),
        (request(Content_Length="\u00b2"), 411),
        (request(Content_Length=str(receiving.MAX_BODY + 1)), 413),
        (request(Content_Length="9" * 30), 411),
        (b"POST / HTTP/1.1\r\nX: " + b"x" * 2 * receiving.MAX_HEAD + b"\r\n\r\n", 400),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_refused(content: bytes, expected: int) -> None:
    answers, emitted = serve(send(content, request()))
    assert [status(answer) for answer in answers] == [expected, 204]
    assert len(emitted) == 1


def test_a_client_that_sends_nothing_is_cut_off() -> None:
    answers, emitted = serve(send(request()[:-5]), deadline=0.2)
    assert status(answers[0]) == 408
    assert emitted == []


def test_only_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MAX_CONNECTIONS", 0)
    answers, _emitted = serve(send(request()))
    assert status(answers[0]) == 503


# --- the command that posts ---------------------------------------------------------------------------------------


class Posting:
    """Runs the command; ``waits`` are the pauses that it made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, body: bytes = MESSAGE) -> None:
        self.waits: list[float] = []
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))

    def __call__(self, *arguments: str) -> int:
        return post.main(arguments, self.waits.append)


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    return str(tmp_path / "token")


def test_a_post_arrives(monkeypatch: pytest.MonkeyPatch, token_file: str) -> None:
    posting = Posting(monkeypatch)
    code, emitted = serve(lambda address: posting("http://{}:{}/".format(*address), "--token-file", token_file))
    assert code == 0
    assert emitted[0]["meta"] == {"phase": "new", "host": "vm1"}
    assert posting.waits == []


def test_a_post_without_the_token_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    posting = Posting(monkeypatch)
    code, emitted = serve(lambda address: posting("http://{}:{}/".format(*address)))
    assert (code, emitted, posting.waits) == (1, [], [])
    assert "HTTP 401: the token is missing or wrong" in capsys.readouterr().err


def test_a_post_to_nobody_is_tried_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    posting = Posting(monkeypatch)
    assert posting("http://127.0.0.1:1/") == 1
    assert posting.waits == list(post.WAITS)
    assert "refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [(), ("ftp://a/",), ("http://a/", "--token-file"), ("http://a/", "--odd", "x"), ("http://a/", "b")],
    ids=str,
)
def test_posts_that_make_no_sense(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    assert Posting(monkeypatch)(*arguments) == 2


def test_a_token_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing")
    assert Posting(monkeypatch)("http://127.0.0.1:1/", "--token-file", missing) == 2
    assert f"{missing}: No such file" in capsys.readouterr().err
