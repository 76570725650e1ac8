# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._imds import tags
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "found", "ambiguous"),
    [
        ("", {}, False),
        ("a:1", {"a": "1"}, False),
        ("environment:test;role:web", {"environment": "test", "role": "web"}, False),
        ("empty:;a:1", {"empty": "", "a": "1"}, False),
        ("with blank: value ", {"with blank": " value "}, False),
        # a colon in the value may also be one in the name
        ("url:http://x", {"url": "http://x"}, True),
        # a part without a colon is the rest of the value before it
        ("a:1;2;b:3", {"a": "1;2", "b": "3"}, True),
        ("a:1;", {"a": "1;"}, True),
        ("a:1;;b:2", {"a": "1;", "b": "2"}, True),
        # what has no name
        ("1;a:2", {"a": "2"}, True),
        (":1", {}, True),
        ("a:1;:2", {"a": "1;:2"}, True),
        # the same name twice: the first was a value's rest, or the second is
        ("a:1;a:2", {"a": "2"}, True),
    ],
)
def test_tags_are_read_from_a_string(text: str, found: dict[str, str], ambiguous: bool) -> None:
    assert tags.from_string(text) == (found, ambiguous)


NAMES = st.text(st.characters(exclude_characters=":;", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.dictionaries(NAMES, NAMES | st.just("")))
def test_what_holds_no_separator_comes_back(wanted: dict[str, str]) -> None:
    text = ";".join(f"{name}:{value}" for name, value in wanted.items())
    assert tags.from_string(text) == (wanted, False)


@given(st.dictionaries(NAMES, st.text(max_size=8)))
def test_what_can_not_be_split_is_said_to_be_ambiguous(wanted: dict[str, str]) -> None:
    found, ambiguous = tags.from_string(";".join(f"{name}:{value}" for name, value in wanted.items()))
    assert ambiguous or found == wanted or ";" in "".join(wanted.values())


@given(st.text())
def test_any_string_gives_strings(text: str) -> None:
    found, ambiguous = tags.from_string(text)
    assert all(name and isinstance(value, str) for name, value in found.items())
    assert ambiguous or text == ";".join(f"{name}:{value}" for name, value in found.items())


@pytest.mark.parametrize(
    ("tags_list", "found"),
    [
        ([], {}),
        (None, {}),
        ("a:1", {}),
        ({"name": "a", "value": "1"}, {}),
        ([{"name": "a", "value": "1;2:3"}, {"name": "b", "value": ""}], {"a": "1;2:3", "b": ""}),
        ([{"name": "a"}, {"name": "b", "value": None}, {"name": "c", "value": []}], {"a": "", "b": "", "c": ""}),
        # what came as a number is not lost
        ([{"name": "a", "value": 7}, {"name": "b", "value": False}], {"a": "7", "b": "false"}),
        ([{"name": "a", "value": 1.5}, {"name": "b", "value": 2**63}], {"a": "", "b": ""}),
        ([{"value": "1"}, {"name": None}, {"name": 7, "value": "1"}, ["a", "1"], "a", None], {}),
        ([{"name": "a", "value": "1"}, {"name": "a", "value": "2"}], {"a": "2"}),
        ([{"name": "", "value": "1"}], {"": "1"}),
    ],
)
def test_tags_are_read_from_a_list(tags_list: Any, found: dict[str, str]) -> None:
    assert tags.from_list(tags_list) == found


def test_a_string_of_separators_costs_no_more_than_others() -> None:
    """As long as a document may be. Adding the parts to a value one by one would copy it half a million times."""
    found, ambiguous = tags.from_string("role:" + ";" * 500_000)
    assert ambiguous
    assert found == {"role": ";" * 500_000}
