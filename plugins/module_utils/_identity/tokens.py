# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access tokens: what an answer holds, what a token says about itself, and how long it is good for. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .options import Selector
from .strict_json import read_object

# What can stand in a header and in a file without quoting.
_VALUE = re.compile(r"[!-~]+")
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]*")
_LATEST = 253402300799  # the last second that a date can name
# Seconds. A token that lives shorter than the first is used up to the second, as Microsoft's own clients do.
_LONG_LIVED, _SHORT_REST = 7200, 300
# As App Service wrote expires_on, with 24 and with 12 hours.
_DATES = ("%m/%d/%Y %H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p %z")


class TokenError(ValueError):
    """An answer that holds no usable token. Its text never quotes the answer."""


class Token:
    """An access token.

    It is shown nowhere: neither repr() nor str() has the value.

    :param value: the token itself
    :param resource: what it is for
    :param expires_on: Unix seconds
    :param starts_on: Unix seconds since when it has been valid, if known
    :param client_id: of the identity, as told beside the token
    """

    token_type = "Bearer"

    def __init__(
        self, value: str, resource: str, expires_on: int, starts_on: int | None = None, client_id: str | None = None
    ) -> None:
        self.value = value
        self.resource = resource
        self.expires_on = expires_on
        self.claims = claims(value)
        self.starts_on = starts_on if starts_on is not None else moment(self.claims.get("nbf"))
        self.client_id = self._text("appid") or self._text("azp") or client_id

    def __repr__(self) -> str:
        return f"<Token for {self.resource} until {self.expires_at}>"

    @property
    def object_id(self) -> str | None:
        return self._text("oid")

    @property
    def tenant_id(self) -> str | None:
        return self._text("tid")

    @property
    def identity(self) -> str | None:
        """Resource ID of the identity, which is the VM itself for a system-assigned one."""
        return self._text("xms_mirid")

    @property
    def expires_at(self) -> str:
        """ISO 8601, UTC."""
        return iso(self.expires_on)

    def lives(self, now: float) -> int:
        """Seconds until it expires; not below 0."""
        return max(int(self.expires_on - now), 0)

    def lives_long_enough(self, minimum: int | None, now: float) -> bool:
        """Whether it lives that many more seconds; without a minimum, half of its life if that is long."""
        if minimum is None:
            life = self.expires_on - (now if self.starts_on is None else self.starts_on)
            minimum = int(life / 2) if life >= _LONG_LIVED else _SHORT_REST
        return self.lives(now) > 0 and self.lives(now) >= minimum

    def is_of(self, selector: Selector) -> bool:
        """Whether it belongs to that identity. False where it does not say."""
        told = {"client_id": self.client_id, "object_id": self.object_id, "msi_res_id": self.identity}[selector.kind]
        return told is not None and told.rstrip("/").lower() == selector.value.rstrip("/").lower()

    def is_like(self, other: Token) -> bool:
        """Whether both are for the same resource and of the same identity. False where one does not say."""
        ours, theirs = (self.object_id or self.client_id), (other.object_id or other.client_id)
        return ours is not None and ours == theirs and self.resource == other.resource

    def _text(self, claim: str) -> str | None:
        value = self.claims.get(claim)
        return value if isinstance(value, str) and value else None


def read(answer: Mapping[str, Any], resource: str, now: float) -> Token:
    """The token in an answer of IMDS. Times may be numbers or text; one of them is enough.

    :param resource: what was asked for
    :param now: Unix seconds, for an answer that only says how long the token lives
    :raises TokenError: there is none, or it can't be used
    """
    value, kind = answer.get("access_token"), answer.get("token_type")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise TokenError("the answer has no access_token that can be used")
    if isinstance(kind, str) and kind and kind.lower() != Token.token_type.lower():
        raise TokenError("the answer's token_type is not Bearer")
    expires_on, expires_in = moment(answer.get("expires_on")), moment(answer.get("expires_in"))
    if expires_on is None and expires_in is not None:
        expires_on = int(now) + expires_in
    if expires_on is None:
        expires_on = moment(claims(value).get("exp"))
    if expires_on is None or expires_on > _LATEST:
        raise TokenError("the answer does not say when the token expires")
    client_id = answer.get("client_id")
    known = client_id if isinstance(client_id, str) and client_id else None
    return Token(value, resource, expires_on, moment(answer.get("not_before")), known)


def claims(value: str) -> dict[str, Any]:
    """What a token says about itself, unverified; nothing where it is not a JWT."""
    parts = value.split(".")
    # What decodes it would pass over other characters.
    if len(parts) != 3 or not _URL_SAFE.fullmatch(parts[1]):
        return {}
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except binascii.Error:
        return {}
    return read_object(text) or {}


def moment(value: Any) -> int | None:
    """Seconds from a number, from digits or from a date; None for anything else, and for what is below 0."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)) and 0 <= value <= _LATEST:
        return int(value)
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"[0-9]{1,18}(?:\.[0-9]*)?", value):
        return int(value.partition(".")[0])
    for form in _DATES:
        try:
            seconds = int(datetime.strptime(value, form).timestamp())
        except ValueError:
            continue
        return seconds if seconds >= 0 else None
    return None


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(min(seconds, _LATEST), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


FORMS = ("token", "json", "header")


def render(token: Token, form: str) -> bytes:
    """The content of a file.

    :param form: token, the token alone and no end of line; json, an object as IMDS sends it; header, a header line
    """
    if form == "token":
        return token.value.encode("ascii")
    if form == "header":
        return f"Authorization: {token.token_type} {token.value}\n".encode("ascii")
    fields = {
        "access_token": token.value,
        "client_id": token.client_id or "",
        "expires_on": str(token.expires_on),
        "not_before": "" if token.starts_on is None else str(token.starts_on),
        "resource": token.resource,
        "token_type": token.token_type,
    }
    return (json.dumps(fields, indent=2) + "\n").encode("ascii")


def parse(content: bytes, form: str) -> Token | None:
    """The token in a file that render wrote; None for anything else, and for a token that does not say its purpose."""
    try:
        text = content.decode("ascii")
        fields = read_object(content) if form == "json" else {"access_token": _bare(text, form)}
        if fields is None:
            return None
        told = claims(str(fields.get("access_token"))).get("aud", fields.get("resource"))
        token = read(fields, told, 0) if isinstance(told, str) else None
    except ValueError:
        return None
    return token if token and render(token, form) == content else None


def _bare(text: str, form: str) -> str:
    prefix = f"Authorization: {Token.token_type} "
    return text[len(prefix) : -1] if form == "header" and text.startswith(prefix) else text
