# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import der
from ansible_collections.imds.azure.tests.scenarios.attestation import der_writer as writer
from ansible_collections.imds.azure.tests.scenarios.attestation.mutations import mutations
from hypothesis import given
from hypothesis import strategies as st

ACCEPTED = {
    "true": bytes.fromhex("0101ff"),
    "zero": bytes.fromhex("020100"),
    "positive with a sign byte": bytes.fromhex("02020080"),
    "negative": bytes.fromhex("0202ff7f"),
    "empty bits": bytes.fromhex("030100"),
    "seven unused bits": bytes.fromhex("03020780"),
    "null": bytes.fromhex("0500"),
    "empty sequence": bytes.fromhex("3000"),
    "length of two bytes": writer.octets(b"x" * 128),
    "length of three bytes": writer.octets(b"x" * 256),
    "set in order": writer.set_of(writer.integer(2), writer.integer(1)),
}
REFUSED = {
    "empty": b"",
    "one byte": b"\x30",
    "cut off": bytes.fromhex("0403aabb"),
    "trailing byte": bytes.fromhex("050000"),
    "trailing byte inside": bytes.fromhex("3003050000"),
    "tag of two bytes": bytes.fromhex("1f810100"),
    "indefinite length": bytes.fromhex("30800000"),
    "indefinite length inside": bytes.fromhex("3004a0800000"),
    "long form of a short length": bytes.fromhex("04810161"),
    "long form with a zero byte": b"\x04\x82\x00\x80" + b"x" * 128,
    "length of five bytes": bytes.fromhex("04850000000001"),
    "length cut off": bytes.fromhex("0482ff"),
    "length longer than the data": bytes.fromhex("0484ffffffff61"),
    "string in pieces": bytes.fromhex("2403040161"),
    "primitive sequence": bytes.fromhex("1000"),
    "primitive set": bytes.fromhex("1100"),
    "end of contents": bytes.fromhex("0000"),
    "BER true": bytes.fromhex("010101"),
    "long boolean": bytes.fromhex("0102ffff"),
    "empty integer": bytes.fromhex("0200"),
    "padded positive": bytes.fromhex("0202007f"),
    "padded negative": bytes.fromhex("0202ff80"),
    "bits without a count": bytes.fromhex("0300"),
    "eight unused bits": bytes.fromhex("03020800"),
    "unused bits of nothing": bytes.fromhex("030101"),
    "unused bits set": bytes.fromhex("03020781"),
    "null with content": bytes.fromhex("050100"),
    "empty identifier": bytes.fromhex("0600"),
    "identifier cut off": bytes.fromhex("06022a86"),
    "padded arc": bytes.fromhex("06032a8001"),
    "set out of order": bytes.fromhex("3106020102020101"),
    "too deep": functools.reduce(lambda inner, _level: writer.sequence(inner), range(64), b""),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_accepts(data: bytes) -> None:
    assert der.parse(data).encoded == data


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refuses(data: bytes) -> None:
    with pytest.raises(der.DerError):
        der.parse(data)


@given(st.integers(min_value=-(1 << 256), max_value=1 << 256))
def test_integer(value: int) -> None:
    canonical = writer.tlv(
        0x02, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)
    )
    assert der.integer(der.parse(canonical)) == value


@given(
    st.integers(min_value=0, max_value=2).flatmap(
        lambda first: st.tuples(
            st.just(first),
            st.integers(min_value=0, max_value=39 if first < 2 else 1 << 40),
            st.lists(st.integers(min_value=0, max_value=1 << 40), max_size=6),
        )
    )
)
def test_oid(arcs: tuple[int, int, list[int]]) -> None:
    dotted = ".".join(map(str, (arcs[0], arcs[1], *arcs[2])))
    assert der.oid(der.parse(writer.oid(dotted))) == dotted


@pytest.mark.parametrize("kind", [der.integer, der.oid, der.octets, lambda element: element.parts])
def test_another_type_is_refused(kind: Callable[[der.Element], Any]) -> None:
    with pytest.raises(der.DerError):
        kind(der.parse(writer.null()))


@pytest.mark.parametrize("value", [writer.tlv(0x02, b"\x01" * 65), writer.tlv(0x06, b"\x81" * 64 + b"\x01")])
def test_oversized_numbers_are_refused(value: bytes) -> None:
    element = der.parse(value)
    with pytest.raises(der.DerError, match="65 bytes"):
        (der.integer if element.tag == der.INTEGER else der.oid)(element)


def test_fields_in_order() -> None:
    fields = der.Fields(der.parse(writer.sequence(writer.integer(1), writer.null())))
    assert fields.take_if(der.NULL) is None
    assert der.integer(fields.take(der.INTEGER)) == 1
    with pytest.raises(der.DerError, match="unexpected"):
        fields.end()
    assert fields.take_if(der.NULL) is not None
    fields.end()
    with pytest.raises(der.DerError, match="missing"):
        fields.take(der.NULL)


primitives = st.one_of(
    st.binary(max_size=300).map(writer.octets),
    st.integers(min_value=0, max_value=1 << 80).map(writer.integer),
    st.just(writer.null()),
    st.just(writer.oid("1.2.840.113549.1.7.2")),
)
values = st.recursive(
    primitives,
    lambda inner: st.tuples(
        st.sampled_from([writer.sequence, writer.set_of, lambda *parts: writer.explicit(3, *parts)]),
        st.lists(inner, max_size=4),
    ).map(lambda pair: pair[0](*pair[1])),
    max_leaves=12,
)


def rewritten(element: der.Element) -> bytes:
    """What the independent writer makes of a value that was read."""
    if element.tag & 0x20:
        return writer.tlv(element.tag, *(rewritten(part) for part in element.parts))
    return writer.tlv(element.tag, element.content)


@given(values)
def test_every_written_value_is_read(data: bytes) -> None:
    assert rewritten(der.parse(data)) == data


@given(values, st.binary(min_size=1, max_size=4))
def test_nothing_may_follow(data: bytes, more: bytes) -> None:
    with pytest.raises(der.DerError):
        der.parse(data + more)


@given(values, st.data())
def test_nothing_may_lack(data: bytes, draw: st.DataObject) -> None:
    with pytest.raises(der.DerError):
        der.parse(data[: draw.draw(st.integers(min_value=0, max_value=len(data) - 1))])


@given(st.binary(max_size=400) | values.flatmap(lambda data: st.just(data) | mutations(data)))
def test_what_is_read_is_canonical(data: bytes) -> None:
    """No crash, no hang, and whatever is accepted is byte for byte what a DER writer makes of it."""
    try:
        element = der.parse(data)
    except der.DerError:
        return
    assert rewritten(element) == data
