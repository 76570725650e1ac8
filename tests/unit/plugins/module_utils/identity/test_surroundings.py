# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the environment says about where identities are served."""

from __future__ import annotations

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import surroundings

AGENT = {
    "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token",
    "IMDS_ENDPOINT": "http://localhost:40342",
}


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, None),
        (AGENT, None),
        ({"IDENTITY_ENDPOINT": "http://127.0.0.1:41/MSI/token", "IDENTITY_HEADER": "x"}, "App Service"),
        ({"IDENTITY_ENDPOINT": "x", "IDENTITY_HEADER": "x", "IDENTITY_SERVER_THUMBPRINT": "x"}, "Service Fabric"),
        ({"MSI_ENDPOINT": "x", "MSI_SECRET": "x"}, "Machine Learning"),
        ({"MSI_ENDPOINT": "x"}, "Cloud Shell"),
        ({"AZURE_FEDERATED_TOKEN_FILE": "/x", "AZURE_CLIENT_ID": "x"}, "Kubernetes"),
        ({"MSI_ENDPOINT": ""}, None),
    ],
    ids=str,
)
def test_other_hosts_are_named(environ: dict[str, str], host: str | None) -> None:
    found = surroundings.host(environ)
    assert (host is None and found is None) or (host is not None and found is not None and host in found)


@pytest.mark.parametrize(
    ("environ", "agent"),
    [
        (AGENT, "http://localhost:40342"),
        ({"IDENTITY_ENDPOINT": AGENT["IDENTITY_ENDPOINT"]}, None),
        ({**AGENT, "IDENTITY_HEADER": "x"}, None),
        ({**AGENT, "IDENTITY_ENDPOINT": "http://localhost:40342/other"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_agent_is_found_by_both_its_variables(environ: dict[str, str], agent: str | None) -> None:
    assert surroundings.agent(environ) == agent
