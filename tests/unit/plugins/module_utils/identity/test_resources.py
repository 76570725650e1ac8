# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a token is for: names, URIs and clouds."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import resources
from ansible_collections.imds.azure.plugins.module_utils._imds.fields import CLOUDS
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("https://vault.azure.net", "https://vault.azure.net"),
        ("https://management.azure.com/", "https://management.azure.com/"),
        ("https://vault.azure.net/.default", "https://vault.azure.net"),
        ("https://storage.azure.com//.default", "https://storage.azure.com/"),
        ("api://3f2504e0-4f89-41d3-9a0c-0305e82c3301/.default", "api://3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        ("499b84ac-1321-427f-aa17-267ca6975798", "499b84ac-1321-427f-aa17-267ca6975798"),
        ("urn:example:app", "urn:example:app"),
        ("ARM", "arm"),
        ("vault", "vault"),
    ],
)
def test_a_uri_stays_as_it_is_and_a_scope_is_reduced(text: str, asked: str) -> None:
    assert resources.resource(text) == asked


@pytest.mark.parametrize(
    "text",
    [
        *("", "valut", "vault.azure.net", "//vault.azure.net", "https:", "https://", "https:///secrets", "https://a b"),
        *("/.default", "https://vault.azure.net\n", "https://b\u00fccher.example", "1http://x", "http:vault"),
    ],
)
def test_other_text_is_refused_with_the_names(text: str) -> None:
    with pytest.raises(OptionError, match=r"(?s)^resource: .* is not a URI .*\barm\b.*\bvault\b"):
        resources.resource(text)


def test_names_have_a_uri_in_the_public_cloud_and_what_imds_calls_the_others() -> None:
    assert set(resources.CLOUDS) == set(CLOUDS)
    assert {"arm", "vault", "storage", "graph", "sql"} <= set(resources.NAMES)
    for name in resources.NAMES:
        assert resources.resource(resources.uri(name, resources.PUBLIC)) == resources.uri(name, resources.PUBLIC)


@pytest.mark.parametrize("cloud", resources.CLOUDS)
def test_uris_agree_with_the_endpoints_of_the_facts(cloud: str) -> None:
    assert resources.uri("arm", cloud) == CLOUDS[cloud]["resource_manager"] + "/"
    assert resources.uri("vault", cloud) == "https://" + CLOUDS[cloud]["key_vault_suffix"]


@pytest.mark.parametrize(("name", "cloud"), [("servicebus", resources.CHINA), ("arm", "AzureStack"), ("arm", "")])
def test_what_a_cloud_does_not_have_is_an_error_with_a_remedy(name: str, cloud: str) -> None:
    with pytest.raises(OptionError, match=r"resource: .*give the URI"):
        resources.uri(name, cloud)
