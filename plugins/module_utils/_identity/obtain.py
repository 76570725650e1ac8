# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token from IMDS, or the one in a file that is still good."""

from __future__ import annotations

import time
from typing import Callable

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError

from . import tokens
from .fetch import TokenClient
from .options import Request
from .tokens import Token

Hide = Callable[[str], None]


class Obtained:
    """token: the one that counts; stored: the one in the file, if there is one; notes: what to tell the user."""

    def __init__(self, token: Token, stored: Token | None, notes: list[str]) -> None:
        self.token = token
        self.stored = stored
        self.notes = notes

    @property
    def is_kept(self) -> bool:
        return self.token is self.stored


class Wanted:
    """What a token has to be.

    :param request: the identity, and whether it has to be a fresh token
    :param resource: a URI, or the ID of an application
    :param minimum: seconds that it has to live; None for half of its life
    """

    def __init__(self, request: Request, resource: str, minimum: int | None) -> None:
        self.request = request
        self.resource = resource
        self.minimum = minimum

    def is_met_by(self, stored: Token, now: float) -> bool:
        """Whether a stored token will do, whosever it is."""
        if self.request.bypass_cache or stored.resource != self.resource:
            return False
        return stored.lives_long_enough(self.minimum, now)


def obtain(
    client: TokenClient, wanted: Wanted, stored: Token | None, hide: Hide, now: Callable[[], float] = time.time
) -> Obtained:
    """The stored token if it will do, else one from IMDS.

    Without the name of an identity, IMDS is asked in any case, because only its answer tells whose turn it is.

    :param hide: is called with each token before anything else is done with it
    :raises ImdsError: with the reason if there is none
    """
    if stored:
        hide(stored.value)
    will_do = stored is not None and wanted.is_met_by(stored, now())
    selector = wanted.request.selector
    if stored and will_do and selector and stored.is_of(selector):
        return Obtained(stored, stored, [])
    token = client.token(wanted.resource)
    hide(token.value)
    if stored and will_do and not selector and stored.is_like(token):
        return Obtained(stored, stored, [])
    minimum = wanted.minimum
    if minimum and not token.lives_long_enough(minimum, now()) and not wanted.request.bypass_cache:
        token = client.token(wanted.resource, bypass_cache=True)
        hide(token.value)
    return Obtained(token, stored, _notes(token, minimum, now()))


def minimum_validity(text: str) -> int | None:
    """The option minimum_validity: seconds, or None for auto.

    :raises OptionError: for any other text
    """
    if text == "auto":
        return None
    seconds = tokens.moment(text)
    if seconds is None or seconds > 7 * 86400:
        raise OptionError("minimum_validity", f"{text!r} is neither auto nor a number of seconds up to 604800")
    return seconds


def _notes(token: Token, minimum: int | None, now: float) -> list[str]:
    if not minimum or token.lives_long_enough(minimum, now):
        return []
    return [
        f"Even a fresh token lives for {token.lives(now)} s only, less than minimum_validity, which is {minimum} s."
    ]
