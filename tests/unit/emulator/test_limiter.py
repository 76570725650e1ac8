# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limiter, with a clock of our own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from azure_imds_emulator.limiter import Limiter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admitted(limiter: Limiter, times: int, bucket: str = "general", vm: str = "a") -> int:
    count = 0
    for _ignored in range(times):
        with limiter.slot(vm, bucket) as one:
            count += one
    return count


@pytest.mark.parametrize(("bucket", "limit"), [("general", 5), ("identity", 20)])
def test_requests_per_second_are_limited(bucket: str, limit: int) -> None:
    clock = Clock()
    limiter = Limiter(clock)
    assert admitted(limiter, 30, bucket) == limit
    clock.now += 0.99
    assert admitted(limiter, 1, bucket) == 0
    clock.now += 0.01
    assert admitted(limiter, 30, bucket) == limit


def test_the_second_slides() -> None:
    clock = Clock()
    limiter = Limiter(clock)
    for _ignored in range(20):
        assert admitted(limiter, 1) == 1
        clock.now += 0.2
    clock.now += 0.4
    assert admitted(limiter, 10) == 3


def test_vms_and_buckets_do_not_share() -> None:
    limiter = Limiter(Clock())
    assert admitted(limiter, 9, vm="a") == 5
    assert admitted(limiter, 9, vm="b") == 5
    assert admitted(limiter, 9, "identity", "a") == 9


def test_five_identity_requests_at_a_time() -> None:
    limiter = Limiter(Clock())
    with ExitStack() as stack:
        running = [stack.enter_context(limiter.slot("a", "identity")) for _ignored in range(6)]
    assert running == [True] * 5 + [False]
    assert admitted(limiter, 1, "identity") == 1


def throttled(imds: Any, path: str, times: int) -> list[Any]:
    return [imds.get(f"{path}?api-version=2025-04-07&resource=x") for _ignored in range(times)]


def test_instance_answer(start: Any) -> None:
    replies = throttled(start(limiter=Limiter(Clock())), "/metadata/instance", 7)
    assert [reply.status for reply in replies] == [200] * 5 + [429] * 2
    assert replies[-1].status_line == "HTTP/1.1 429 Too Many Requests"
    assert replies[-1].body == b"Too many requests"
    assert "Retry-After" not in replies[-1].names


def test_a_throttled_identity_request_has_its_own_body(start: Any) -> None:
    replies = throttled(start(limiter=Limiter(Clock())), "/metadata/identity/oauth2/token", 21)
    assert [reply.status for reply in replies] == [400] * 20 + [429]
    assert replies[-1].json()["error_description"] == "Temporarily throttled, too many requests"


def test_load_balancer_answer(start: Any) -> None:
    reply = throttled(start(limiter=Limiter(Clock())), "/metadata/loadbalancer", 6)[-1]
    assert (reply.status, reply.body) == (429, b'{ "error": "Too many requests" }')


def test_what_the_front_end_refuses_does_not_count(start: Any) -> None:
    imds = start(limiter=Limiter(Clock()))
    for _ignored in range(9):
        assert imds.get("/metadata/instance", Metadata="no").status == 400
    assert imds.instance().status == 200


def test_off_for_one_vm(start: Any) -> None:
    imds = start([{"name": "a", "limiter": False}], limiter=Limiter(Clock()))
    assert {reply.status for reply in throttled(imds, "/metadata/instance", 9)} == {200}


@pytest.mark.parametrize(
    ("vm", "option", "expected"),
    [({}, None, None), ({}, 7, "7"), ({"retry_after": 3}, 7, "3"), ({"retry_after": 0}, None, "0")],
)
def test_retry_after(start: Any, vm: dict[str, Any], option: Any, expected: Any) -> None:
    imds = start([{"name": "a", **vm}], limiter=Limiter(Clock()), retry_after=option)
    assert throttled(imds, "/metadata/instance", 6)[-1].header("Retry-After") == expected
    imds.fault(status=429, count=1)
    assert imds.instance().header("Retry-After") == expected
    imds.fault(status=429, count=1, headers={"Retry-After": "99"})
    assert imds.instance().header("Retry-After") == "99"
