# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/identity: access tokens for the managed identities of the VM, and their tenant."""

from __future__ import annotations

import email.utils
import time
import uuid
from typing import Optional, Union

from .. import errors, unevidenced
from ..identity_spec import SELECTORS, Identity, Managed, selected
from ..message import Answer, Request, json_body
from ..tokens.claims import Token
from ..versions import IDENTITY_SINCE, VERSIONS
from .family import Call

TOKEN = ("oauth2", "token")
INFO = ("info",)
ROUTES = (TOKEN, INFO)
# Of version 2 of the protocol. Clients ask whether a host has it, some without the Metadata header, and take every
# other status than 404 for a yes.
NEWER_ROUTES = (("getplatformmetadata",), ("issuecredential",))


def newer_protocol(request: Request) -> Optional[Answer]:
    """404 for routes of the newer protocol, whatever else is wrong with the request."""
    return errors.IDENTITY_ROOT if _route(request) in NEWER_ROUTES else None


def wrong_method(request: Request) -> Answer:
    """405, where there is a route at all."""
    return unevidenced.ANSWERS["identity_method"] if _route(request) in ROUTES else errors.IDENTITY_ROOT


def answer(call: Call) -> Answer:
    """A token or the tenant; else why there is none. Dated by the clock of the identities, which may be ahead."""
    found = objection(call) or (_token(call) if is_for_token(call.request) else _info(call))
    return found.with_header("Date", email.utils.formatdate(call.identities.now(), usegmt=True))


def _route(request: Request) -> tuple[str, ...]:
    return tuple(step.lower() for step in request.segments()[2:])


def is_for_token(request: Request) -> bool:
    """Whether this is the token's route."""
    return tuple(step.lower() for step in request.segments()[1:2]) == ("identity",) and _route(request) == TOKEN


def selectors(call: Call) -> dict[str, str]:
    """The parameters that name an identity; an empty one counts as absent."""
    return {name: value for name, value in call.parameters.items() if name in SELECTORS and value}


def objection(call: Call) -> Optional[Answer]:
    """What is wrong with the request, whoever the VM is."""
    if _route(call.request) not in ROUTES:
        return errors.IDENTITY_ROOT
    version = call.parameters.get("api-version")
    if not version:
        return unevidenced.ANSWERS["identity_no_version"]
    if version not in VERSIONS or version < IDENTITY_SINCE:
        return unevidenced.ANSWERS["identity_bad_version"]
    if is_for_token(call.request) and not call.parameters.get("resource"):
        return errors.IDENTITY_NO_RESOURCE
    return unevidenced.ANSWERS["identity_selectors"] if len(selectors(call)) > 1 else None


def _info(call: Call) -> Answer:
    managed = call.identities.managed(call.vm)
    if not managed.identities:
        return errors.IDENTITY_NOT_FOUND
    return Answer(200, json_body({"tenantId": managed.tenant}))


def _token(call: Call) -> Answer:
    resource = call.parameters["resource"]
    managed = call.identities.managed(call.vm)
    identity = _identity(call, managed)
    if isinstance(identity, Answer):
        return identity
    now = call.identities.now()
    refusal = _refusal(managed, identity, resource, now)
    if refusal:
        return refusal
    cloud = str(call.vm.compute.get("azEnvironment") or "")
    fresh = call.parameters.get("bypass_cache", "").lower() == "true"
    token = call.identities.token(
        call.vm, identity, resource, fresh, lambda: call.issuer.issue(managed, identity, resource, cloud, now)
    )
    return Answer(200, json_body(_shown(call, identity, resource, token, now)))


def _identity(call: Call, managed: Managed) -> Union[Identity, Answer]:
    """The identity that is asked for, or the one that serves when none is named."""
    for name, value in selectors(call).items():
        return selected(managed.identities, name, value) or errors.IDENTITY_NOT_FOUND
    own = next((each for each in managed.identities if each.is_system), None)
    if own is None and len(managed.identities) > 1:
        return errors.IDENTITY_AMBIGUOUS
    return own or next(iter(managed.identities), errors.IDENTITY_NOT_FOUND)


def _shown(call: Call, identity: Identity, resource: str, token: Token, now: float) -> dict[str, str]:
    """The answer: all values are strings."""
    left = str(max(token.expires - int(now), 0))
    echoed = {name: call.parameters[name] for name in ("object_id", "msi_res_id") if call.parameters.get(name)}
    return {
        "access_token": token.text,
        "client_id": identity.client_id,
        "expires_in": left,
        "expires_on": str(token.expires),
        "ext_expires_in": left,
        "not_before": str(token.not_before),
        "refresh_token": "",
        "resource": resource,
        "token_type": "Bearer",
        **echoed,
    }


def _refusal(managed: Managed, identity: Identity, resource: str, now: float) -> Optional[Answer]:
    """Why Entra ID issues no token, in its own words; IMDS hands them on."""
    if identity.state == "deleted":
        return _entra(
            "unauthorized_client",
            700016,
            f"Application with identifier '{identity.client_id}' was not found in the directory '{managed.tenant}'. "
            "This can happen if the application has not been installed by the administrator of the tenant or consented "
            "to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            now,
        )
    if identity.state == "disabled":
        return _entra(
            "unauthorized_client",
            7000112,
            f"Application '{identity.client_id}'({identity.name}) is disabled.",
            now,
        )
    if not managed.knows(resource):
        return _entra(
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant named {managed.tenant}. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by "
            "any user in the tenant. You might have sent your authentication request to the wrong tenant.",
            now,
        )
    return None


def _entra(error: str, code: int, text: str, now: float) -> Answer:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    when = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now))
    return errors.identity(
        f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {when}",
        error,
        error_codes=[code],
        timestamp=when,
        trace_id=trace,
        correlation_id=correlation,
        error_uri=f"https://westeurope.login.microsoft.com/error?code={code}",
    )
