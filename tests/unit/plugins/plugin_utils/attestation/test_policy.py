# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.document import Document
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import (
    CLOUDS,
    build_policy,
    check_identity,
    draw_nonce,
    match_name,
)
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import OptionError, Refusal
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import NOW
from ansible_collections.imds.azure.tests.scenarios.attestation.documents import VM_ID

BAD: list[tuple[str, Any]] = [
    ("nonce", ""),
    ("nonce", "x" * 33),
    ("nonce", "with space"),
    ("nonce", "abc\n"),
    ("nonce", "n\u00f6nce"),
    ("nonce", 1234567890),
    ("nonce", "20260801-180000"),
    ("clouds", "azure"),
    ("clouds", ["public", "moon"]),
    ("clouds", []),
    ("expected_vm_id", ""),
    ("expected_vm_id", []),
    ("expected_vm_id", ["", "  "]),
    ("expected_vm_id", "web01"),
    ("expected_vm_id", "{" + VM_ID + "}"),
    ("expected_vm_id", [VM_ID, None]),
    ("expected_vm_id", 5),
    ("expected_subscription_id", "*"),
    ("expected_sku", ""),
    ("expected_license_type", []),
    ("expected_plan", {}),
    ("expected_plan", []),
    ("expected_plan", {"name": ""}),
    ("expected_plan", {"name": None}),
    ("expected_plan", {"vendor": "x"}),
    ("expected_plan", [{"name": "x"}, {}]),
    ("expected_plan", "x"),
    ("max_age", -1),
    ("max_age", 86401),
    ("max_age", True),
    ("max_age", "5m"),
    ("clock_skew", -1),
    ("verify_at", "yesterday"),
    ("verify_at", ""),
    ("verify_at", 1),
    ("verify_at", "2017-01-01T00:00:00Z"),
    ("verify_at", "0001-01-01T00:00:00+10:00"),
]


@pytest.mark.parametrize(("option", "value"), BAD, ids=[f"{option}={value!r}" for option, value in BAD])
def test_bad_options_are_named(option: str, value: Any) -> None:
    with pytest.raises(OptionError) as caught:
        build_policy(stored=True, **{option: value})
    assert caught.value.option == option
    assert str(caught.value).startswith(option + ": ")


def test_verify_at_is_for_stored_evidence_only() -> None:
    with pytest.raises(OptionError, match="verify_at: can only be used together with document"):
        build_policy(stored=False, verify_at="2026-08-01T12:00:00Z")


@pytest.mark.parametrize(
    "value",
    [
        "2026-08-01T12:00:00Z",
        "2026-08-01 12:00:00+00:00",
        "2026-08-01T14:00:00+02:00",
        "2026-08-01T12:00:00",
        datetime(2026, 8, 1, 12, tzinfo=timezone.utc),
    ],
)
def test_verify_at(value: str | datetime) -> None:
    assert build_policy(stored=True, verify_at=value).verify_at == datetime(2026, 8, 1, 12, tzinfo=timezone.utc)


def test_age_limit_depends_on_the_challenge() -> None:
    assert build_policy(stored=False, nonce="abc").max_age == timedelta(minutes=5)
    assert build_policy(stored=False).max_age == timedelta(hours=6)
    assert build_policy(stored=True, nonce="abc").max_age == timedelta(hours=6)
    assert build_policy(stored=False, nonce="abc", max_age=0).max_age == timedelta(0)


def test_a_closed_cloud_is_accepted_with_a_warning() -> None:
    policy = build_policy(stored=False, clouds=["public", "germany"])
    assert policy.clouds == ("public", "germany")
    (note,) = policy.notes
    assert note.startswith("clouds: germany")
    assert "2021" in note
    assert build_policy(stored=False, clouds="public").notes == ()


def with_plan(**plan: str) -> Document:
    times = {"created_on": NOW, "expires_on": NOW}
    full = {"name": "", "product": "", "publisher": "", **plan}
    return Document(VM_ID, "", "", "", full, "", other={}, **times)


@pytest.mark.parametrize(
    "expected",
    [
        {"name": "n"},
        {"product": "p", "publisher": "q"},
        {"name": "n", "product": "p", "publisher": "q"},
        [{"name": "x"}, {"name": "n", "product": "p", "publisher": "q"}],
    ],
)
def test_plans_that_match(expected: Any) -> None:
    """In every key that is given, all three included."""
    check_identity(with_plan(name="n", product="p", publisher="q"), build_policy(stored=False, expected_plan=expected))


@pytest.mark.parametrize("expected", [{"name": "x"}, {"name": "n", "product": "x"}, {"publisher": "q", "name": ""}])
def test_plans_that_do_not_match(expected: dict[str, str]) -> None:
    if not all(expected.values()):
        with pytest.raises(OptionError):
            build_policy(stored=False, expected_plan=expected)
        return
    with pytest.raises(Refusal) as caught:
        check_identity(with_plan(name="n", product="p"), build_policy(stored=False, expected_plan=expected))
    assert caught.value.reason == "identity_mismatch"


def test_only_ids_bind() -> None:
    assert not build_policy(stored=False, expected_sku="x", expected_plan={"name": "y"}).binds_identity
    assert build_policy(stored=False, expected_vm_id=VM_ID).binds_identity
    assert build_policy(stored=False, expected_subscription_id=[VM_ID, ""]).binds_identity


def test_nonces_are_accepted_and_differ() -> None:
    drawn = {draw_nonce() for _draw in range(50)}
    assert len(drawn) == 50
    for nonce in drawn:
        assert build_policy(stored=False, nonce=nonce).nonce == nonce


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_cloud_by_name_and_subdomain(cloud: str) -> None:
    for name in (CLOUDS[cloud], f"region.{CLOUDS[cloud]}"):
        assert match_name([name], [cloud]) == (cloud, name)
        for other in CLOUDS.keys() - {cloud}:
            with pytest.raises(Refusal) as caught:
                match_name([name], [other])
            assert caught.value.reason == "wrong_cloud"


def test_first_name_wins() -> None:
    assert match_name(["b.metadata.azure.com", "metadata.azure.com"], ["public"])[1] == "b.metadata.azure.com"


@pytest.mark.parametrize(
    "name",
    ["", ".metadata.azure.com", "*.metadata.azure.com", "a b.metadata.azure.com", "-a.metadata.azure.com",
     "metadata.azure.com.", "a." * 40000 + "metadata.azure.com!", "x" * 64 + ".metadata.azure.com"],
    ids=range(8),
)  # fmt: skip
def test_odd_names_never_match(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        match_name([name], CLOUDS)
    assert caught.value.reason == "wrong_name"
