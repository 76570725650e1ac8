# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where else than at IMDS an identity may be served, judged by the environment. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# Environment variables that are all set -> what sets them. The first that fits counts.
_HOSTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT"), "Azure Service Fabric"),
    (("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), "Azure App Service, Functions or Container Apps"),
    (("MSI_ENDPOINT", "MSI_SECRET"), "Azure Machine Learning"),
    (("MSI_ENDPOINT",), "Azure Cloud Shell"),
    (("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID"), "a workload identity of Azure Kubernetes Service"),
)
AGENT = "http://127.0.0.1:40342"
_PATH = "/metadata/identity/oauth2/token"


def host(environ: Mapping[str, str]) -> str | None:
    """What the environment says this process runs on, where identities have an endpoint of their own; else None."""
    return next((name for names, name in _HOSTS if all(environ.get(one) for one in names)), None)


def agent(environ: Mapping[str, str]) -> str | None:
    """Where the agent of an Azure Arc machine says that it listens, http://ADDRESS:PORT; None if it says nothing."""
    told = environ.get("IDENTITY_ENDPOINT", "")
    if not environ.get("IMDS_ENDPOINT") or environ.get("IDENTITY_HEADER"):
        return None
    return told[: -len(_PATH)] if told.lower().endswith(_PATH) else None
