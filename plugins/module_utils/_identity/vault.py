# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Key Vault: where a vault is, what its answers mean, and what a secret is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import printable

from . import resources, tokens
from .strict_json import read_object

API_VERSION = "7.4"
# Seconds before each further try, of an answer or a failure that may be another one next time.
WAITS = {"vault_throttled": (1.0, 2.0, 4.0, 8.0), "vault_error": (1.0, 2.0, 4.0), "vault_unreachable": (1.0, 2.0)}

_TOLD = 300
_TOKEN_LIKE = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]*")


class VaultReason:
    def __init__(self, code: str, meaning: str, remedy: str) -> None:
        self.code = code
        self.meaning = meaning
        self.remedy = remedy


_TABLE = (
    VaultReason(
        "vault_forbidden",
        "The identity has no role that lets it read this secret.",
        "Assign it the role Key Vault Secrets User on the vault or on the secret, and wait some minutes.",
    ),
    VaultReason(
        "vault_forbidden_by_policy",
        "No access policy of the vault lets the identity read secrets.",
        "Add an access policy with the secret permission Get for the identity's object ID.",
    ),
    VaultReason(
        "vault_firewall",
        "The vault's firewall does not let this host in.",
        "Allow the host's subnet or public address in the vault's networking settings, or use a private endpoint.",
    ),
    VaultReason(
        "vault_wrong_tenant",
        "The vault belongs to another tenant than the identity.",
        "Use a vault in the identity's tenant; a managed identity gets tokens of its own tenant only.",
    ),
    VaultReason(
        "vault_unauthorized",
        "The vault does not accept the token.",
        "Check resource, which has to be what this vault expects, such as https://vault.azure.net.",
    ),
    VaultReason(
        "secret_not_found",
        "The vault has no secret of this name, or not this version of it.",
        "Check name and version; a deleted secret has to be recovered first.",
    ),
    VaultReason(
        "secret_disabled",
        "The secret, or this version of it, is disabled.",
        "Enable it, or give the version that is to be used.",
    ),
    VaultReason(
        "vault_not_found",
        "The name of the vault can't be resolved.",
        "Check vault and the host's DNS; a vault's name disappears with it.",
    ),
    VaultReason(
        "vault_unreachable",
        "The vault could not be reached, or did not answer in time.",
        "Check that the host, or the proxy in its environment, can open HTTPS connections to the vault.",
    ),
    VaultReason(
        "vault_untrusted",
        "The certificate of the vault, or of what answers in its place, is not trusted.",
        "Install the CA certificate on the host or name it in ca_path, if what answers is meant to.",
    ),
    VaultReason(
        "vault_intercepted",
        "Something other than a vault answered: a redirect, a page, or something that is not the JSON of a secret.",
        "Check vault, and find out which proxy or host answers in its place.",
    ),
    VaultReason(
        "vault_throttled",
        "The vault answered 429: it gets too many requests.",
        "Try again later, and find out what asks so often.",
    ),
    VaultReason(
        "vault_error",
        "The vault answered with a server error.",
        "Try again later.",
    ),
    VaultReason(
        "vault_rejected",
        "The vault rejected the request.",
        "Read its answer in the message.",
    ),
)
REASONS = {reason.code: reason for reason in _TABLE}

# What the vault calls its refusals, in innererror.
_REFUSALS = {
    "ForbiddenByRbac": "vault_forbidden",
    "AccessDenied": "vault_forbidden_by_policy",
    "ForbiddenByPolicy": "vault_forbidden_by_policy",
    "ForbiddenByFirewall": "vault_firewall",
    "ForbiddenByConnection": "vault_firewall",
    "SecretDisabled": "secret_disabled",
}
_WRONG_ISSUER = "AKV10032"


class VaultError(Exception):
    """There is no secret.

    :param code: a key of REASONS
    :param detail: what exactly was seen; kept printable, and free of what looks like a token
    """

    def __init__(self, code: str, detail: str) -> None:
        self.detail = printable(_TOKEN_LIKE.sub("[redacted]", " ".join(detail.split())))[:_TOLD]
        super().__init__(self.detail)
        self.reason = REASONS[code]

    @property
    def message(self) -> str:
        """Meaning and detail, fit for fail_json."""
        return f"{self.reason.meaning} ({self.detail})"


class Location:
    """Where a vault listens."""

    def __init__(self, host: str, port: int = 443) -> None:
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        return f"https://{self.host}" + ("" if self.port == 443 else f":{self.port}")


class Answer:
    """status, headers (names in lower case), body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Secret:
    """A secret. Neither repr() nor str() has its value. Times are Unix seconds, None where there is none."""

    def __init__(self, value: str, content: Mapping[str, Any]) -> None:
        self.value = value
        where = content.get("id")
        self.version = (where.rstrip("/").rpartition("/")[2] or None) if isinstance(where, str) else None
        kind = content.get("contentType")
        self.content_type = kind if isinstance(kind, str) and kind else None
        attributes = content.get("attributes")
        self._attributes = attributes if isinstance(attributes, dict) else {}

    def __repr__(self) -> str:
        return f"<Secret, version {self.version}>"

    def date(self, attribute: str) -> str | None:
        """A time among its attributes, in ISO 8601; created, updated, nbf or exp."""
        seconds = tokens.moment(self._attributes.get(attribute))
        return None if seconds is None else tokens.iso(seconds)

    def is_past(self, now: float) -> bool:
        """Whether its expiry date has passed; the vault hands it out all the same."""
        expires = tokens.moment(self._attributes.get("exp"))
        return expires is not None and expires <= now


def location(text: str) -> Location | None:
    """Where a vault is, from its URL; None for the name of a vault, whose domain depends on the cloud.

    :raises OptionError: for any other text
    """
    if re.fullmatch(r"[A-Za-z](?:-?[A-Za-z0-9]){2,23}", text) and len(text) <= 24:
        return None
    url = re.fullmatch(r"https://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?/?", text)
    port = int(url[2] or 443) if url else 0
    if not url or not 0 < port < 65536:
        raise OptionError(
            "vault", f"{text!r} is neither the name of a vault nor a URL of the form https://NAME.vault.azure.net"
        )
    return Location(url[1].lower(), port)


def named(name: str, cloud: str) -> Location:
    """Where the vault of that name is in a cloud.

    :raises OptionError: the cloud is not known
    """
    try:
        suffix = resources.uri("vault", cloud)
    except OptionError:
        raise OptionError("vault", f"the domain of vaults in the cloud {cloud!r} is not known; give the URL") from None
    return Location(f"{name.lower()}.{suffix[len('https://') :]}")


def resource_of(place: Location) -> str:
    """What a token for the vault is for. A token goes to nobody else than a vault of Azure without being asked to.

    :raises OptionError: the host is not one of Key Vault
    """
    for uri in resources.NAMES["vault"]:
        if place.host.endswith("." + uri[len("https://") :]):
            return uri
    raise OptionError(
        "vault",
        f"{place.host} is not in a domain of Azure Key Vault; check it, or say in resource what a token for it is for",
    )


def path(name: str, version: str | None) -> str:
    """The path of a secret below the vault.

    :raises OptionError: for a name or version that no secret has
    """
    if not re.fullmatch("[0-9A-Za-z-]{1,127}", name):
        raise OptionError("name", f"{name!r} is not 1 to 127 letters, digits and hyphens")
    if version is not None and not re.fullmatch("[0-9A-Za-z]{1,127}", version):
        raise OptionError("version", f"{version!r} is not the version of a secret; omit it for the current one")
    return f"secrets/{name}" + (f"/{version}" if version else "")


def read(answer: Answer, tenant: str | None) -> Secret:
    """The secret in an answer.

    :param tenant: of the identity that asked, as its token says
    :raises VaultError: there is none
    """
    content = read_object(answer.body) or {}
    if answer.status != 200:
        raise _refusal(answer, content, tenant)
    value = content.get("value")
    if not isinstance(value, str):
        raise VaultError("vault_intercepted", f"HTTP 200, {len(answer.body)} bytes without the value of a secret")
    return Secret(value, content)


def wait(code: str, tries: int, retry_after: str | None) -> float | None:
    """Seconds to wait before the next try, or None to stop.

    :param code: a key of REASONS
    :param tries: how many times it was seen, this one included
    :param retry_after: the header of that name, obeyed if it is a number of seconds
    """
    waits = WAITS.get(code, ())
    if tries > len(waits):
        return None
    if retry_after and retry_after.isdecimal() and len(retry_after) < 10:
        return float(retry_after)
    return waits[tries - 1]


def _refusal(answer: Answer, content: Mapping[str, Any], tenant: str | None) -> VaultError:
    error = content.get("error")
    error = error if isinstance(error, dict) else {}
    inner = error.get("innererror")
    code = inner.get("code") if isinstance(inner, dict) else None
    code = code if isinstance(code, str) else ""
    words = [str(error[key]) for key in ("code", "message") if isinstance(error.get(key), str)]
    said = ": ".join([f"HTTP {answer.status}", *([code] if code else []), *words])
    if answer.status == 401:
        return _unauthorized(answer, said, tenant)
    code_by_status = _by_status(answer.status)
    if not error or "location" in answer.headers:
        foreign = "vault_intercepted" if code_by_status == "vault_rejected" else code_by_status
        return VaultError(foreign, f"HTTP {answer.status}, {len(answer.body)} bytes that no vault sends")
    if answer.status == 403:
        return VaultError(_REFUSALS.get(code, "vault_forbidden"), said)
    if answer.status == 404 and error.get("code") == "SecretNotFound":
        return VaultError("secret_not_found", said)
    return VaultError(code_by_status, said)


def _by_status(status: int) -> str:
    """For what has no words that only a vault uses."""
    if status == 429:
        return "vault_throttled"
    if status == 408 or status >= 500:
        return "vault_error"
    return "vault_rejected" if status >= 400 else "vault_intercepted"


def _unauthorized(answer: Answer, said: str, tenant: str | None) -> VaultError:
    """A 401 tells in a header which tenant the vault trusts, and what a token for it is for."""
    challenge = answer.headers.get("www-authenticate", "")
    trusted = re.search(r'authorization(?:_uri)?="https://[^/"]+/([0-9A-Fa-f-]{36})', challenge)
    resource = re.search(r'resource="([^"]+)"', challenge)
    if trusted and tenant and trusted[1].lower() != tenant.lower():
        return VaultError("vault_wrong_tenant", f"the vault is in tenant {trusted[1]}, the identity in {tenant}")
    if f": {_WRONG_ISSUER}:" in said:
        return VaultError("vault_wrong_tenant", said)
    if not challenge:
        return VaultError("vault_intercepted", "HTTP 401 without the challenge that a vault sends")
    return VaultError("vault_unauthorized", said + (f"; a token for it is for {resource[1]}" if resource else ""))
