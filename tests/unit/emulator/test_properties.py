# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is asked, the answer is no 5xx and no exception."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from azure_imds_emulator import routes
from azure_imds_emulator.checks import InvalidInputError
from azure_imds_emulator.document import as_text, at_version, select
from azure_imds_emulator.emulator import Emulator
from azure_imds_emulator.fault_spec import FIELDS, KINDS, parse_all
from azure_imds_emulator.message import Envelope, Request, encode, split_target
from azure_imds_emulator.server import Channel
from azure_imds_emulator.versions import VERSIONS
from azure_imds_emulator.vms import Vms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEYS = ["metadata", "instance", "compute", "network", "interface", "0", "1", "tagsList", "identity", "oauth2", "token",
        "loadbalancer", "versions", "", "..", "%2e%2e", "%00", "%ff", "*", "é"]  # fmt: skip
paths = st.lists(st.sampled_from(KEYS) | st.text(max_size=8), max_size=8).map(lambda steps: "/" + "/".join(steps))
names = st.sampled_from(["api-version", "format", "extended", "resource", "%61"]) | st.text(max_size=5)
values = st.sampled_from([*VERSIONS[-2:], "text", "json", "true", ""]) | st.text(max_size=8)
queries = st.lists(st.tuples(names, values), max_size=4).map(lambda pairs: "&".join(f"{n}={v}" for n, v in pairs))
headers = st.lists(st.tuples(st.sampled_from(["Metadata", "X-Forwarded-For", "A"]), st.sampled_from(["true", "x", ""])))
methods = st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "", "é"])
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
EMULATOR = Emulator([{"name": "a"}])


class Recorder(Channel):
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def encode(self, answer: Any) -> bytes:
        return bytes(encode(answer, Envelope("now", "id", 1)))

    def send(self, data: bytes) -> None:
        self.sent += data


@given(methods, paths, queries, headers)
def test_any_request_has_an_answer(method: str, path: str, query: str, sent: list[tuple[str, str]]) -> None:
    channel = Recorder()
    EMULATOR.exchange(Request(method, path, query, (("Metadata", "true"), *sent), source="127.0.0.1"), channel)
    assert b"200" <= channel.sent[9:12] < b"500"
    assert b"\r\n\r\n" in channel.sent


@given(st.text(max_size=30))
def test_any_target_can_be_split(target: str) -> None:
    path, query = split_target(target)
    assert path.startswith(("/", "*"))
    routes.resolve(Request("GET", path, query))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(target=st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n")))
def test_any_bytes_over_a_socket(imds: Any, target: bytes) -> None:
    reply = imds.raw(b"GET /metadata/instance" + target + b" HTTP/1.1\r\nMetadata: true\r\nConnection: close\r\n\r\n")
    assert reply is not None
    assert 200 <= reply.status < 500 or reply.status == 505  # a blank makes another HTTP version of it


@given(documents)
def test_any_document_can_be_shown(document: Any) -> None:
    for version in VERSIONS[1::11]:
        shown = at_version({"compute": document}, version)
        assert isinstance(as_text(select(shown, ["compute"])), str)
        json.dumps(shown)


@given(documents | st.dictionaries(st.sampled_from(sorted(FIELDS)), documents | st.sampled_from(KINDS), max_size=4))
def test_any_fault_is_taken_or_refused(fault: Any) -> None:
    with contextlib.suppress(InvalidInputError):
        for one in parse_all(fault, ["a"]):
            assert one.kind in KINDS


@given(
    documents.filter(lambda it: it is not None)
    | st.lists(st.dictionaries(st.sampled_from(["name", "sources", "overrides", "loadbalancer"]), documents))
)
def test_any_vm_list_is_taken_or_refused(vms: Any) -> None:
    with contextlib.suppress(InvalidInputError):
        taken = Vms(vms)
        assert taken.given() == vms
