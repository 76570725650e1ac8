# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens and secrets: the answers of IMDS, of the Azure Arc agent and of Key Vault, and files with tokens."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.imds.azure.plugins.module_utils._identity import arc, errors, options, tokens, vault
from ansible_collections.imds.azure.plugins.module_utils._imds.client import UnusableError, read_object
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response
from ansible_collections.imds.azure.tests.scenarios import identities
from ansible_collections.imds.azure.tests.scenarios.identities import CLIENT_ID, NOW, TENANT_ID, VAULT

from .target import Target, as_json, assert_plain, assert_shown

_SELECTORS = [options.Selector(kind, CLIENT_ID) for kind in ("client_id", "object_id", "msi_res_id")]


def token_answer(data: bytes) -> None:
    """The body of an answer with status 200: a token, or a TokenError that does not quote it."""
    try:
        token = tokens.read(read_object(Response(200, {}, data, "")), VAULT, NOW)
    except UnusableError:
        return
    except tokens.TokenError as error:
        assert_shown(str(error))
        return
    _used(token)


def token_file(data: bytes) -> None:
    """A file with a token: the token that was written to it, or nothing."""
    for form in tokens.FORMS:
        token = tokens.parse(data, form)
        if token:
            _used(token)
            assert tokens.render(token, form) == data


def _used(token: tokens.Token) -> None:
    """All that modules do with a token, and what they tell of it."""
    assert repr(token) == f"<Token for {token.resource} until {token.expires_at}>"
    told = [token.expires_at, token.object_id, token.tenant_id, token.client_id, token.identity, token.resource]
    assert_plain([*told, token.expires_on, token.starts_on])
    for at in (token.expires_on, token.starts_on):
        assert at is None or at >= 0
        assert at is None or tokens.moment(str(at)) == at
    for now in (0.0, float(NOW), 1e12):
        assert token.lives(now) >= 0
        token.lives_long_enough(None, now)
        token.lives_long_enough(60, now)
    for selector in _SELECTORS:
        token.is_of(selector)
    assert token.is_like(token) == bool(token.object_id or token.client_id)
    for form in tokens.FORMS:
        written = tokens.render(token, form)
        again = tokens.parse(written, form)
        assert again is None or again.value == token.value


def token_error(data: bytes) -> None:
    """The body of a refusal, by IMDS or the Arc agent: a known outcome, and a description that can be shown."""
    for status in (400, 401, 403, 404, 429, 500):
        challenge = data[:200].decode("latin-1")
        response = Response(status, {"server": "IMDS/1", "www-authenticate": challenge}, data, "")
        for policy in (errors.TokenPolicy(True, 9.0), errors.TokenPolicy(False), arc.ArcPolicy(False)):
            outcome = policy.classify(response)
            assert outcome in policy.rules
            assert len(policy.describe(response)) < 400
            policy.wait(outcome, 1, data[:20].decode("latin-1"), 0.5, 0.0)


def vault_answer(data: bytes) -> None:
    """The body of a vault's answer: a secret, or a VaultError that does not quote it."""
    for status in (200, 401, 403, 404, 429, 503):
        headers = {"www-authenticate": data[:300].decode("latin-1")}
        try:
            secret = vault.read(vault.Answer(status, headers, data), TENANT_ID)
        except vault.VaultError as error:
            assert_shown(error.message)
            vault.wait(error.reason.code, 1, data[:20].decode("latin-1"))
            continue
        dates = [secret.date(name) for name in ("created", "updated", "nbf", "exp")]
        assert_plain([secret.value, secret.version, secret.content_type, *dates])
        assert repr(secret) == f"<Secret, version {secret.version}>"
        secret.is_past(NOW)


def _answers() -> Iterator[bytes]:
    yield as_json(identities.answer())
    yield as_json(identities.answer(expires_on=NOW + 60, not_before=None, client_id=None))
    yield as_json(
        {**identities.answer(expires_in=None), "expires_on": "09/14/2017 00:00:00 PM +00:00", "not_before": ""}
    )
    yield as_json(identities.answer(value="a.b.c", expires_in=3600))


def _files() -> Iterator[bytes]:
    token = tokens.read(identities.answer(), VAULT, NOW)
    yield from (tokens.render(token, form) for form in tokens.FORMS)


def _errors() -> Iterator[bytes]:
    for error in (identities.NOT_FOUND, identities.SEVERAL, identities.UNKNOWN_RESOURCE):
        yield as_json(error)
    yield b"Basic realm=/var/opt/azcmagent/tokens/0.key"
    yield identities.jwt().encode()


def _secrets() -> Iterator[bytes]:
    attributes = {"enabled": True, "created": NOW, "updated": NOW, "exp": NOW + 9, "nbf": NOW}
    where = "https://kv-web.vault.azure.net/secrets/a/0123456789abcdef0123456789abcdef"
    yield as_json({"value": "s3cret", "id": where, "contentType": "text/plain", "attributes": attributes})
    yield as_json({"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}})
    yield as_json({"error": {"code": "Unauthorized", "message": "AKV10032: Invalid issuer."}})
    yield f'Bearer authorization="https://login.microsoftonline.com/{TENANT_ID}", resource="{VAULT}"'.encode()


_WORDS: tuple[bytes, ...] = (
    *(name.encode() for name in identities.answer()),
    *b"0 1e9 253402300800 a.e30.c a.eyJhdWQiOiJcdWQ4MDAifQ.c a.eyJleHAiOjFlOTk5fQ.c a.W10.c Bearer error".split(),
    *b"error_codes error_description value id attributes contentType innererror code message".split(),
    b"01/01/0001 00:00:00 +23:59",
    b"12/31/9999 11:59:59 PM -12:00",
    b"01/01/1960 1:1:1 Z",
    b"AADSTS500011: x",
)


TARGETS = (
    Target("token_answer", "an access token of IMDS", token_answer, _answers, _WORDS),
    Target("token_file", "files with access tokens", token_file, _files, _WORDS),
    Target("token_error", "refusals of tokens by IMDS and the Azure Arc agent", token_error, _errors, _WORDS),
    Target("vault_answer", "answers of Key Vault", vault_answer, _secrets, _WORDS),
)
