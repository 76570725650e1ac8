# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user asks for: which token of which identity. Checked in one place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds import options
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings

from . import resources

# Identities are in IMDS since this version, and every client asks for it.
API_VERSION = "2018-02-01"
# Seconds; long enough to outlast an update of IMDS, which takes up to 70.
TIMEOUT = 90.0
# What names one of several identities, and what a token calls it.
SELECTORS = ("client_id", "object_id", "msi_res_id")

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Selector:
    """kind: one of SELECTORS; value: as given."""

    def __init__(self, kind: str, value: str) -> None:
        self.kind = kind
        self.value = value


class Request:
    """Which token is asked for.

    :param resource: a URI, the ID of an application, or a name of resources.NAMES
    :param selector: the identity; None for the one that serves by default
    :param bypass_cache: have IMDS get a fresh token, as after a change of the identity's groups or roles
    :param identity_wait: seconds to wait for an identity that IMDS does not know yet
    :param arc: auto, never or always: whether to ask the agent of an Azure Arc machine
    :param patient: ask again where nothing answers
    """

    def __init__(
        self,
        resource: str,
        selector: Selector | None = None,
        bypass_cache: bool = False,
        identity_wait: float = 0.0,
        arc: str = "auto",
        patient: bool = True,
    ) -> None:
        self.resource = resource
        self.selector = selector
        self.bypass_cache = bypass_cache
        self.identity_wait = identity_wait
        self.arc = arc
        self.patient = patient


def request(params: Mapping[str, Any], patient: bool = True) -> Request:
    """The request from a module's or a lookup's options.

    :raises OptionError: for options that can't be used, or not together
    """
    return Request(
        resource=resources.resource(params["resource"]),
        selector=_selector(params),
        bypass_cache=bool(params.get("bypass_cache")),
        identity_wait=_identity_wait(params),
        arc=params.get("arc") or "auto",
        patient=patient,
    )


def settings(params: Mapping[str, Any]) -> Settings:
    """How to ask. One deadline, for an update of IMDS too. Keys that are not settings are ignored.

    :raises OptionError: for an endpoint, a time or an API version that can't be used
    """
    chosen = options.settings(
        {"timeout": TIMEOUT, **{key: value for key, value in params.items() if value is not None}}
    )
    if chosen.api_version is not None and chosen.api_version < API_VERSION:
        raise OptionError("api_version", f"{chosen.api_version} has no identities; the first that has is {API_VERSION}")
    chosen.updating_timeout = chosen.timeout
    return chosen


def query(resource: str, selector: Selector | None, bypass_cache: bool) -> str:
    """What follows the API version."""
    text = f"&resource={quoted(resource)}"
    if selector:
        text += f"&{selector.kind}={quoted(selector.value)}"
    return text + ("&bypass_cache=true" if bypass_cache else "")


def quoted(text: str) -> str:
    """Percent-encoded, as the value of a query parameter or as a segment of a path."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8"))


def _selector(params: Mapping[str, Any]) -> Selector | None:
    given = [Selector(kind, params[kind]) for kind in SELECTORS if params.get(kind) is not None]
    if len(given) > 1:
        names = " and ".join(selector.kind for selector in given)
        raise OptionError(given[1].kind, f"{names} are given, but only one can name the identity; leave out the others")
    if not given:
        return None
    kind, value = given[0].kind, given[0].value
    if kind == "msi_res_id":
        usable = value.lower().startswith("/subscriptions/") and value.isascii() and value.isprintable()
        form = "a resource ID such as /subscriptions/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME"
    else:
        usable, form = resources.is_guid(value), "a GUID such as 11111111-2222-3333-4444-555555555555"
    if not usable:
        raise OptionError(kind, f"{value!r} is not {form}; omit the option to use the default identity")
    return given[0]


def _identity_wait(params: Mapping[str, Any]) -> float:
    given = params.get("identity_wait")
    wait = 0.0 if given is None else float(given)
    timeout = params.get("timeout")
    limit = TIMEOUT if timeout is None else float(timeout)
    if not 0 <= wait < limit:
        raise OptionError(
            "identity_wait", f"{wait:g} is not from 0 to less than timeout, which is {limit:g} seconds; raise timeout"
        )
    return wait
