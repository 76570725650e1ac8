# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetches a token from IMDS, or from the agent of an Azure Arc machine, under one deadline.

Works on a managed host and on the controller. Nothing goes through a proxy, nothing is kept on disk, and no exception
and no attempt quotes a token.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.imds.azure.plugins.module_utils._imds import paths, platform, transport
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client, UnusableError, read_object
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError

from . import arc, options, resources, surroundings, tokens
from .errors import TokenPolicy
from .options import Request
from .tokens import Token

PATH = paths.Path("identity/oauth2/token", options.API_VERSION, True)
_CLOUD = paths.path("instance/compute/azEnvironment")


class TokenClient:
    """One operation. The deadline starts when the client is created.

    on_arc: whether the agent of an Azure Arc machine is asked instead of IMDS.

    :param make: makes the client that asks
    :param now: Unix seconds
    :param environ: by default that of the process
    :raises ImdsError: not_azure or unknown_platform, where nobody is asked
    :raises OptionError: an identity was named, and an Arc machine has only one
    """

    def __init__(
        self,
        request: Request,
        settings: Settings,
        make: Callable[[Settings], Client] = Client,
        now: Callable[[], float] = time.time,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._request = request
        self._now = now
        self._version = settings.api_version or options.API_VERSION
        agent = _agent(request, settings, os.environ if environ is None else environ)
        self.on_arc = agent is not None
        if self.on_arc and request.selector:
            raise OptionError(
                request.selector.kind,
                "an Azure Arc machine has only its system-assigned identity; leave the option out",
            )
        # The version is for tokens only: an older one would not know the cloud.
        asked = Settings(**{**vars(settings), "api_version": None})
        if agent:
            self._version = asked.api_version = arc.API_VERSION
            asked.address = agent
        self._client = make(asked)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """The log of attempts, as Client.attempts."""
        return self._client.attempts

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self._client.remaining

    def long_waits(self) -> list[str]:
        """A warning if asking took long, else nothing."""
        return self._client.long_waits()

    def resource(self) -> str:
        """What the token is for. A name is translated for the machine's cloud, which takes a request.

        :raises ImdsError: the cloud can't be read
        :raises OptionError: the resource has no name there
        """
        name = self._request.resource
        return resources.uri(name, self.cloud()) if name in resources.NAMES else name

    def cloud(self) -> str:
        """The machine's cloud, azEnvironment of the instance document; empty where that is no text.

        :raises ImdsError: it can't be read
        """
        content = self._client.fetch(_CLOUD).content
        return content.strip() if isinstance(content, str) else ""

    def token(self, resource: str, bypass_cache: bool = False) -> Token:
        """A token for a resource, of the identity that the request names.

        :param resource: a URI, or the ID of an application
        :param bypass_cache: have a fresh one, whatever the request says
        :raises ImdsError: with the reason if there is none
        """
        request = self._request
        query = options.query(resource, request.selector, bypass_cache or request.bypass_cache)
        kind = arc.ArcPolicy if self.on_arc else TokenPolicy
        policy = kind(request.selector is not None, request.identity_wait, request.patient)

        def read(response: transport.Response) -> Any:
            asked = arc.challenge(response) if self.on_arc else None
            return asked or _read(response, resource, self._now())

        content, _response = self._client.ask(PATH, self._version, read, query, policy)
        if isinstance(content, arc.Challenge):
            headers = arc.authorization(content)
            content, _response = self._client.ask(PATH, self._version, read, query, policy, headers)
        if not isinstance(content, Token):
            raise ImdsError("forbidden", "the agent of this Azure Arc machine does not accept its own key")
        return content


def fetch(request: Request, settings: Settings) -> Token:
    """The token that a request asks for.

    :raises ImdsError: with the reason if there is none
    :raises OptionError: the resource has no name in the machine's cloud, or an Arc machine was asked for an identity
    """
    client = TokenClient(request, settings)
    return client.token(client.resource())


def _agent(request: Request, settings: Settings, environ: Mapping[str, str]) -> tuple[str, int] | None:
    """The address of the Arc agent, where that is to be asked; None for IMDS."""
    if request.arc == "always":
        found = arc.address(environ)
        if found is None:
            raise ImdsError("not_azure", "no agent of Azure Arc (azcmagent) is installed here")
        return found
    detection = platform.detect(settings.chassis_asset_tag)
    if detection.azure or settings.detect == "force":
        return None
    found = arc.address(environ) if request.arc == "auto" else None
    if found is None:
        reason, detail = platform.miss(detection)
        host = surroundings.host(environ)
        raise ImdsError(
            reason, f"{detail}; the environment is that of {host}, which is not supported" if host else detail
        )
    return found


def _read(response: transport.Response, resource: str, now: float) -> Token:
    try:
        return tokens.read(read_object(response), resource, now)
    except tokens.TokenError as error:
        raise UnusableError("malformed", str(error)) from None
