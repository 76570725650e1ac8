# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key Vault: both cores find it, read its answers, and ask it again, in the same way."""

from __future__ import annotations

import base64
import json
import ssl
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import https, resources, vault
from ansible_collections.imds.azure.plugins.module_utils._identity.tokens import Token
from ansible_collections.imds.azure.plugins.module_utils._identity.vault import Answer, Location, VaultError
from ansible_collections.imds.azure.plugins.module_utils._identity.vault_client import VaultClient
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.tests.scenarios.identities import LIFE, NOW, TENANT_ID, VAULT, jwt
from ansible_collections.imds.azure.tests.windows.core import Core, comparable, encoded

OTHER_TENANT = "00000000-1111-2222-3333-444444444444"


@pytest.mark.parametrize("cloud", [*resources.CLOUDS, "AzureStack"])
@pytest.mark.parametrize(
    "text",
    [
        *("my-vault", "A1-b2", "abc", "ab", "1vault", "my--vault", "vault-", "a" * 24, "a" * 25, "my_vault", "", "v\n"),
        *(
            "https://My-Vault.vault.azure.net/",
            "https://v.vault.azure.cn:8443",
            "https://localhost:8443",
            "https://v:0",
        ),
        *("https://evilvault.azure.net", "https://vault.azure.net", "https://v.vault.azure.net.example.org"),
        *("http://v.vault.azure.net", "https://u@v", "https://v/secrets", "https://v:65536", "https://v\n", "https://"),
    ],
)
def test_where_a_vault_is(core: Core, text: str, cloud: str) -> None:
    expected: Any
    try:
        place = vault.location(text)
        named = place is None
        place = place or vault.named(text, cloud)
        expected = [named, place.url, vault.resource_of(place)]
    except OptionError as error:
        expected = {"error": str(error)}
    assert core("vault_place", vault=text, cloud=cloud) == expected


@pytest.mark.parametrize("name", ["db", "", "a/b", "a" * 127, "a" * 128, "a_b", "a\n"])
@pytest.mark.parametrize("version", [None, "4387e9f3", "", "../x"])
def test_paths(core: Core, name: str, version: Optional[str]) -> None:
    expected: Any
    try:
        expected = vault.path(name, version)
    except OptionError as error:
        expected = {"error": str(error)}
    assert core("vault_path", name=name, version=version) == expected


def error(code: Any, message: Any = "", inner: Any = "") -> dict[str, Any]:
    told: dict[str, Any] = {"code": code, "message": message}
    return {"error": {**told, "innererror": {"code": inner}} if inner else told}


def challenge(tenant: str = TENANT_ID) -> dict[str, str]:
    authorization = f"https://login.microsoftonline.com/{tenant}"
    return {"www-authenticate": f'Bearer authorization="{authorization}", resource="https://vault.azure.cn"'}


ATTRIBUTES = {"enabled": True, "created": NOW, "updated": str(NOW + 1), "nbf": "soon", "exp": NOW + 2}
ID = "https://v.vault.azure.net/secrets/db/4387e9f3d6e14c459867679a90fd0f79"
ANSWERS: list[tuple[int, Any, dict[str, str]]] = [
    (200, {"value": "hunter2", "id": ID, "contentType": "text/plain", "attributes": ATTRIBUTES}, {}),
    (200, {"value": "", "id": ID + "/", "contentType": "", "attributes": []}, {}),
    (200, {"value": "\u00fc\U0001f600\n", "id": "none"}, {}),
    (200, {"value": None}, {}),
    (200, b"<html>", {}),
    (200, b"[]", {}),
    *((403, error("Forbidden", "no", inner), {}) for inner in (*vault._REFUSALS, "SomethingNew", "")),
    (403, {"error": {"code": 1, "innererror": "x"}}, {}),
    (403, b"<html>The firewall of your company", {}),
    (403, error("Forbidden", "no"), {"location": "https://elsewhere"}),
    (403, error("Forbidden", f"Bearer {jwt()}\r\n\x1b[31mno  more {'x' * 400}", "ForbiddenByRbac"), {}),
    (403, error("Forbidden", "\U0001f600" * 400), {}),
    (404, error("SecretNotFound", "A secret was not found"), {}),
    (404, error("NotFound"), {}),
    (404, {"error": "Not Found"}, {}),
    *((status, error("Code", "words"), {}) for status in (302, 400, 408, 418, 429, 500, 503)),
    *((status, b"", {}) for status in (204, 302, 400, 401, 408, 429, 503)),
    (401, error("Unauthorized", "AKV10032: Invalid issuer."), challenge()),
    (401, error("Unauthorized", "AKV10032: Invalid issuer."), challenge(OTHER_TENANT)),
    (401, error("Unauthorized", "AKV10022: Invalid audience."), challenge()),
    (401, error("Unauthorized"), {"www-authenticate": "Bearer"}),
]


@pytest.mark.parametrize("tenant", [TENANT_ID.upper(), None])
@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_answers(core: Core, number: int, tenant: Optional[str]) -> None:
    status, body, headers = ANSWERS[number]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    expected: list[Any]
    try:
        secret = vault.read(Answer(status, headers, content), tenant)
        dates = [secret.date(name) for name in ("created", "updated", "nbf", "exp")]
        expected = [secret.value, secret.version, secret.content_type, dates, secret.is_past(NOW), repr(secret)]
    except VaultError as failure:
        expected = [failure.reason.code, failure.message]
    answer = {"status": status, "headers": headers, "body": encoded(content)}
    assert core("vault_read", answer=answer, tenant=tenant, now=NOW) == expected


def test_a_value_that_is_no_text(core: Core) -> None:
    """Half of a character: each core calls it otherwise, but neither takes it for a secret."""
    answer = {"status": 200, "headers": {}, "body": encoded(b'{"value": "\\ud800"}')}
    assert core("vault_read", answer=answer, now=NOW)[0] == "vault_intercepted"


# --- asking ---------------------------------------------------------------------------------------------------------

OK = Answer(200, {}, b'{"value": "hunter2"}')
BUSY = Answer(429, {}, b"{}")
BROKEN = Answer(503, {"retry-after": "3"}, b"{}")
NO_ROLE = Answer(403, {}, json.dumps(error("Forbidden", "", "ForbiddenByRbac")).encode())
SEQUENCES: list[tuple[list[Answer | VaultError], float]] = [
    ([OK], 90),
    ([BUSY, BUSY, OK], 90),
    ([BUSY], 90),
    ([BROKEN, OK], 90),
    ([BROKEN], 3.5),
    ([BROKEN, BUSY, BROKEN, OK], 20),
    ([Answer(503, {"retry-after": "9" * 10}, b""), OK], 90),
    ([NO_ROLE], 90),
    ([VaultError("vault_unreachable", "x"), OK], 90),
    ([VaultError("vault_unreachable", "x")], 90),
    ([VaultError("vault_untrusted", "x")], 90),
    ([VaultError("vault_not_found", "x")], 90),
    ([OK], 0),
]


@pytest.mark.parametrize("number", range(len(SEQUENCES)))
def test_sequences_of_answers_end_alike(core: Core, number: int) -> None:
    answers, limit = SEQUENCES[number]
    token = Token(jwt(), VAULT, NOW + LIFE)
    now, asked, sleeps = [0.0], [], []

    def get(place: Location, target: str, headers: dict[str, str], _trusted: Any, timeout: float) -> Answer:
        asked.append([place.url, target, headers, timeout])
        now[0] += min(1.0, timeout)
        found = answers[min(len(asked), len(answers)) - 1]
        if isinstance(found, VaultError):
            raise found
        return found

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        now[0] += seconds

    client = VaultClient(
        Location("v.vault.azure.net"), ssl.create_default_context(), lambda: limit - now[0], get, sleep
    )
    try:
        result = client.secret("secrets/db", token).value
    except VaultError as failure:
        result = failure.reason.code
    scripted = [
        {"code": each.reason.code, "detail": each.detail}
        if isinstance(each, VaultError)
        else {"status": each.status, "headers": each.headers, "body": encoded(each.body)}
        for each in answers
    ]
    found = core("vault_client", answers=scripted, limit=limit, token=token.value)
    assert comparable(found) == comparable([result, client.attempts, asked, sleeps])


# --- proxies --------------------------------------------------------------------------------------------------------

ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"https_proxy": "http://10.0.0.1:3128"},
    {"HTTPS_PROXY": "proxy.example.org"},
    {"https_proxy": "", "all_proxy": "http://proxy:8080/"},
    {"http_proxy": "http://10.0.0.1:3128"},
    {"https_proxy": "http://u%40x:p%3Aw@10.0.0.1:3128"},
    {"https_proxy": "http://user@10.0.0.1:3128"},
    {"https_proxy": "socks5://10.0.0.1:1080"},
    {"https_proxy": "https://10.0.0.1"},
    {"https_proxy": "http://10.0.0.1:99999"},
    *(
        {"https_proxy": "http://10.0.0.1:3128", "no_proxy": names}
        for names in (
            "*",
            "azure.net",
            ".AZURE.net",
            "a.b, v.vault.azure.net ,",
            "vault",
            "xv.vault.azure.net",
            ",",
        )
    ),
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_the_environment_names_a_proxy(
    core: Core, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    expected: Any
    try:
        proxy = https.proxy_for("v.vault.azure.net")
        pair = proxy.headers.get("Proxy-Authorization", "").partition("Basic ")[2] if proxy else ""
        expected = proxy and [proxy.host, proxy.port, base64.b64decode(pair).decode() or None]
    except VaultError as failure:
        expected = failure.message
    assert core("vault_proxy", environment=environment, host="v.vault.azure.net") == expected
