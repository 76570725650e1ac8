# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a token is for: the names of well-known resources, and their App ID URIs in each cloud. Pure."""

from __future__ import annotations

import re

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

# The clouds as azEnvironment in the instance document calls them.
PUBLIC, GOVERNMENT = "AzurePublicCloud", "AzureUSGovernmentCloud"
CHINA, GERMANY = "AzureChinaCloud", "AzureGermanCloud"
CLOUDS = (PUBLIC, GOVERNMENT, CHINA, GERMANY)

# Name -> the URI in each of CLOUDS; empty where the cloud does not have the service or its URI is not known.
# Microsoft's own command line asks for these, slash or no slash at the end.
NAMES: dict[str, tuple[str, str, str, str]] = {
    "arm": (
        "https://management.azure.com/",
        "https://management.usgovcloudapi.net/",
        "https://management.chinacloudapi.cn/",
        "https://management.microsoftazure.de/",
    ),
    "vault": (
        "https://vault.azure.net",
        "https://vault.usgovcloudapi.net",
        "https://vault.azure.cn",
        "https://vault.microsoftazure.de",
    ),
    "storage": ("https://storage.azure.com/",) * 4,  # the same in every cloud
    "graph": (
        "https://graph.microsoft.com/",
        "https://graph.microsoft.us/",
        "https://microsoftgraph.chinacloudapi.cn/",
        "https://graph.microsoft.de/",
    ),
    "sql": (
        "https://database.windows.net/",
        "https://database.usgovcloudapi.net/",
        "https://database.chinacloudapi.cn/",
        "https://database.cloudapi.de/",
    ),
    "ossrdbms": (
        "https://ossrdbms-aad.database.windows.net",
        "https://ossrdbms-aad.database.usgovcloudapi.net",
        "https://ossrdbms-aad.database.chinacloudapi.cn",
        "https://ossrdbms-aad.database.cloudapi.de",
    ),
    "managed_hsm": (
        "https://managedhsm.azure.net",
        "https://managedhsm.usgovcloudapi.net",
        "https://managedhsm.azure.cn",
        "",
    ),
    "batch": (
        "https://batch.core.windows.net/",
        "https://batch.core.usgovcloudapi.net/",
        "https://batch.chinacloudapi.cn/",
        "https://batch.cloudapi.de/",
    ),
    "log_analytics": (
        "https://api.loganalytics.io",
        "https://api.loganalytics.us",
        "https://api.loganalytics.azure.cn",
        "",
    ),
    "synapse": (
        "https://dev.azuresynapse.net",
        "https://dev.azuresynapse.usgovcloudapi.net",
        "https://dev.azuresynapse.azure.cn",
        "",
    ),
    "servicebus": ("https://servicebus.azure.net", "", "", ""),
    "eventhubs": ("https://eventhubs.azure.net", "", "", ""),
}

_SCOPE = "/.default"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_WEB = re.compile(r"https?://[^/?#]+(?:[/?#].*)?", re.IGNORECASE)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def resource(text: str) -> str:
    """A name of NAMES, or what IMDS is asked for: a URI, or the ID of an application, which Entra ID accepts as well.

    A scope is reduced to its resource: /.default at its end is an idea of clients.

    :raises OptionError: for any other text
    """
    if text.lower() in NAMES:
        return text.lower()
    whole = text[: -len(_SCOPE)] if text.endswith(_SCOPE) else text
    web = whole[:4].lower() == "http"
    if is_guid(whole) or (_URI.fullmatch(whole) and (not web or _WEB.fullmatch(whole))):
        return whole
    raise OptionError(
        "resource",
        f"{text!r} is not a URI such as https://vault.azure.net, nor the ID of an application, nor one of the names "
        f"{', '.join(sorted(NAMES))}",
    )


def uri(name: str, cloud: str) -> str:
    """The App ID URI of a named resource in a cloud.

    :param cloud: azEnvironment of the instance document
    :raises OptionError: the cloud, or the service in it, is not known
    """
    known = dict(zip(CLOUDS, NAMES[name]))
    if not known.get(cloud):
        raise OptionError("resource", f"the URI of {name!r} in the cloud {cloud!r} is not known; give the URI instead")
    return known[cloud]
