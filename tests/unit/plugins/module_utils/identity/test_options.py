# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a request for a token."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import options
from ansible_collections.imds.azure.plugins.module_utils._identity.options import Selector
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.tests.scenarios.identities import CLIENT_ID, MSI_RES_ID, OBJECT_ID, VAULT


def test_defaults() -> None:
    request = options.request({"resource": VAULT})
    assert vars(request) == {
        "resource": VAULT,
        "selector": None,
        "bypass_cache": False,
        "identity_wait": 0.0,
        "arc": "auto",
        "patient": True,
    }


@pytest.mark.parametrize(
    ("kind", "value"), [("client_id", CLIENT_ID), ("object_id", OBJECT_ID.upper()), ("msi_res_id", MSI_RES_ID)]
)
def test_each_selector(kind: str, value: str) -> None:
    selector = options.request({"resource": VAULT, kind: value}).selector
    assert selector
    assert (selector.kind, selector.value) == (kind, value)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"client_id": CLIENT_ID, "object_id": OBJECT_ID}, "object_id"),
        ({"object_id": OBJECT_ID, "msi_res_id": MSI_RES_ID}, "msi_res_id"),
        ({"client_id": ""}, "client_id"),  # a variable that is empty by mistake must not choose another identity
        ({"client_id": "backup"}, "client_id"),
        ({"object_id": MSI_RES_ID}, "object_id"),
        ({"msi_res_id": "backup"}, "msi_res_id"),
        ({"msi_res_id": "/subscriptions/a\nb"}, "msi_res_id"),
        ({"identity_wait": -1}, "identity_wait"),
        ({"identity_wait": 90}, "identity_wait"),
        ({"identity_wait": 60, "timeout": 30.0}, "identity_wait"),
        ({"resource": "vault.azure.net"}, "resource"),
    ],
)
def test_bad_input_names_the_option(params: dict[str, Any], name: str) -> None:
    with pytest.raises(OptionError) as caught:
        options.request({"resource": VAULT, **params})
    assert caught.value.option == name


def test_one_deadline_for_an_update_too() -> None:
    assert (options.settings({}).timeout, options.settings({}).updating_timeout) == (90.0, 90.0)
    assert options.settings({"timeout": 5}).updating_timeout == 5.0


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"api_version": "2017-12-01"}, "api_version"),
        ({"timeout": 0}, "timeout"),
        ({"endpoint": "http://x"}, "endpoint"),
    ],
)
def test_bad_settings_name_the_option(params: dict[str, Any], name: str) -> None:
    with pytest.raises(OptionError) as caught:
        options.settings(params)
    assert caught.value.option == name


def test_the_query_is_encoded() -> None:
    asked = options.query("https://management.azure.com/", Selector("msi_res_id", "/subscriptions/a b&c"), True)
    assert asked == (
        "&resource=https%3A%2F%2Fmanagement.azure.com%2F&msi_res_id=%2Fsubscriptions%2Fa%20b%26c&bypass_cache=true"
    )
    assert options.query("urn:x", None, False) == "&resource=urn%3Ax"
