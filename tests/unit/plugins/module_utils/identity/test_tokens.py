# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens: read from answers and files, judged by what they say, shown nowhere."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import tokens
from ansible_collections.imds.azure.plugins.module_utils._identity.options import Selector
from ansible_collections.imds.azure.plugins.module_utils._identity.tokens import Token, TokenError
from ansible_collections.imds.azure.tests.scenarios.identities import (
    CLIENT_ID,
    LIFE,
    MSI_RES_ID,
    NOW,
    OBJECT_ID,
    TENANT_ID,
    VAULT,
    answer,
    jwt,
)
from hypothesis import given
from hypothesis import strategies as st


def token(**fields: Any) -> Token:
    return tokens.read(answer(**fields), VAULT, NOW)


def test_an_answer_is_read() -> None:
    read = token()
    assert (read.value, read.resource, read.expires_on, read.starts_on) == (jwt(), VAULT, NOW + LIFE, NOW)
    assert (read.client_id, read.object_id, read.tenant_id) == (CLIENT_ID, OBJECT_ID, TENANT_ID)
    assert (read.identity, read.expires_at) == (MSI_RES_ID, "2023-11-15T22:13:20Z")


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_on": NOW + LIFE},
        {"expires_on": None, "expires_in": LIFE},
        {"expires_on": None, "expires_in": str(LIFE)},
        {"expires_on": "11/15/2023 22:13:20 +00:00"},
        {"expires_on": "11/15/2023 10:13:20 PM +00:00"},
        {"expires_on": None, "expires_in": None},  # the token says it
        {"expires_on": "soon", "expires_in": "later"},
        {"client_id": None, "token_type": None, "not_before": None},
        {"token_type": "bearer"},
    ],
    ids=str,
)
def test_numbers_text_and_missing_fields_are_tolerated(fields: dict[str, Any]) -> None:
    told = {**answer(), **fields}
    read = tokens.read({name: value for name, value in told.items() if value is not None}, VAULT, NOW)
    assert (read.expires_on, read.client_id, read.starts_on) == (NOW + LIFE, CLIENT_ID, NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 1},
        {"access_token": "a\nX-Evil: b"},
        {"access_token": "\u00fc"},
        {"token_type": "mtls_pop"},
        {"access_token": "opaque", "expires_on": None, "expires_in": None},
        {"expires_on": "9" * 18},
    ],
    ids=str,
)
def test_an_unusable_answer_is_not_quoted(fields: dict[str, Any]) -> None:
    told = {**answer(), **fields}
    with pytest.raises(TokenError) as caught:
        tokens.read({name: value for name, value in told.items() if value is not None}, VAULT, NOW)
    text = "".join(traceback.format_exception(TokenError, caught.value, caught.value.__traceback__))
    assert jwt() not in text
    assert "X-Evil" not in text


def test_a_token_shows_itself_nowhere() -> None:
    read = token()
    assert read.value not in f"{read} {read!r} {[read]}"


@pytest.mark.parametrize(
    ("left", "minimum", "enough"),
    [
        (3600, 3600, True),
        (3599, 3600, False),
        (1, 0, True),
        (0, 0, False),  # expired is expired
        (LIFE // 2, None, True),
        (LIFE // 2 - 1, None, False),
    ],
)
def test_how_long_it_has_to_live(left: int, minimum: int | None, enough: bool) -> None:
    assert token().lives_long_enough(minimum, NOW + LIFE - left) is enough


@pytest.mark.parametrize(("left", "enough"), [(300, True), (299, False)])
def test_a_short_life_is_used_until_five_minutes_before_its_end(left: int, enough: bool) -> None:
    short = Token("opaque", VAULT, NOW + 3600, NOW)
    assert short.lives_long_enough(None, NOW + 3600 - left) is enough


@pytest.mark.parametrize(
    ("kind", "value", "same"),
    [
        ("client_id", CLIENT_ID.upper(), True),
        ("object_id", OBJECT_ID, True),
        ("msi_res_id", MSI_RES_ID.lower() + "/", True),
        ("client_id", OBJECT_ID, False),
        ("msi_res_id", MSI_RES_ID + "2", False),
    ],
)
def test_whose_it_is(kind: str, value: str, same: bool) -> None:
    assert token().is_of(Selector(kind, value)) is same


def test_an_opaque_token_is_nobodys() -> None:
    opaque = Token("opaque", VAULT, NOW + LIFE)
    assert not opaque.is_of(Selector("object_id", OBJECT_ID))
    assert not opaque.is_like(opaque)


def test_alike_are_tokens_of_one_identity_for_one_resource() -> None:
    other = tokens.read(answer(jwt(expires_on=NOW + 60)), VAULT, NOW)
    assert token().is_like(other)
    assert not token().is_like(tokens.read(answer(jwt(oid=TENANT_ID)), VAULT, NOW))
    assert not token().is_like(tokens.read(answer(), "https://vault.azure.net/", NOW))


def test_the_forms_of_a_file() -> None:
    assert tokens.render(token(), "token") == jwt().encode()
    assert tokens.render(token(), "header") == f"Authorization: Bearer {jwt()}\n".encode()
    assert json.loads(tokens.render(token(), "json")) == {
        "access_token": jwt(),
        "client_id": CLIENT_ID,
        "expires_on": str(NOW + LIFE),
        "not_before": str(NOW),
        "resource": VAULT,
        "token_type": "Bearer",
    }


@pytest.mark.parametrize("form", tokens.FORMS)
def test_a_file_is_read_again(form: str) -> None:
    content = tokens.render(token(), form)
    read = tokens.parse(content, form)
    assert read
    assert (read.value, read.resource, read.expires_on) == (jwt(), VAULT, NOW + LIFE)
    assert read.is_like(token())
    for other in set(tokens.FORMS) - {form}:
        assert tokens.parse(content, other) is None


@pytest.mark.parametrize("form", tokens.FORMS)
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"null", b"[" * 100_000, b"\xff", b"a.b.c", b"opaque", jwt().encode() + b"\n"]
)
def test_other_files_are_no_tokens(form: str, content: bytes) -> None:
    assert tokens.parse(content, form) is None


def test_an_opaque_token_can_be_kept_as_json_only() -> None:
    opaque = Token("opaque", VAULT, NOW + LIFE, NOW, CLIENT_ID)
    assert tokens.parse(tokens.render(opaque, "token"), "token") is None
    read = tokens.parse(tokens.render(opaque, "json"), "json")
    assert read
    assert read.is_of(Selector("client_id", CLIENT_ID))


@given(st.text(), st.sampled_from(tokens.FORMS))
def test_no_text_breaks_the_reader(text: str, form: str) -> None:
    tokens.parse(text.encode(), form)
    tokens.claims(text)
    tokens.moment(text)
