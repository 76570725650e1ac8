# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key Vault: which host may get a token, what its refusals mean, and what is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.module_utils._identity import resources, vault
from ansible_collections.imds.azure.plugins.module_utils._identity.vault import Answer, Location, VaultError
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.tests.scenarios.identities import NOW, TENANT_ID, jwt
from hypothesis import given
from hypothesis import strategies as st

OTHER_TENANT = "00000000-1111-2222-3333-444444444444"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://my-vault.vault.azure.net", "https://my-vault.vault.azure.net"),
        ("https://My-Vault.vault.azure.net/", "https://my-vault.vault.azure.net"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("https://127.0.0.1:443/", "https://127.0.0.1"),
    ],
)
def test_a_url_says_where(text: str, url: str) -> None:
    found = vault.location(text)
    assert found
    assert found.url == url


@pytest.mark.parametrize("text", ["abc", "my-vault", "A1-b2-c3", "a" * 24])
def test_a_name_does_not(text: str) -> None:
    assert vault.location(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "ab", "1vault", "my--vault", "vault-", "a" * 25, "my vault", "my_vault", "my-vault.vault.azure.net"),
        *(
            "http://my-vault.vault.azure.net",
            "https://user@my-vault.vault.azure.net",
            "https://v/secrets",
            "https://v?x",
        ),
        *("https://v:0", "https://v:65536", "https://", "https://v\n", "ftp://v", "https://v#x"),
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=r"^vault: "):
        vault.location(text)


def test_the_domain_of_a_name_is_that_of_the_cloud() -> None:
    assert vault.named("My-Vault", resources.CHINA).url == "https://my-vault.vault.azure.cn"
    with pytest.raises(OptionError, match=r"vault: .*give the URL"):
        vault.named("my-vault", "AzureStack")


def test_a_token_goes_to_vaults_only() -> None:
    assert vault.resource_of(Location("v.vault.azure.net")) == "https://vault.azure.net"
    assert vault.resource_of(Location("v.vault.azure.cn")) == "https://vault.azure.cn"
    for host in ("vault.azure.net.example.org", "evilvault.azure.net", "vault.azure.net", "localhost", "10.0.0.1"):
        with pytest.raises(OptionError, match="resource"):
            vault.resource_of(Location(host))


def test_paths() -> None:
    assert vault.path("db-password", None) == "secrets/db-password"
    assert vault.path("a", "4387e9f3d6e14c459867679a90fd0f79") == "secrets/a/4387e9f3d6e14c459867679a90fd0f79"
    for name, version in (("", None), ("a/b", None), ("a" * 128, None), ("a", ""), ("a", "../x"), ("a_b", None)):
        with pytest.raises(OptionError):
            vault.path(name, version)


def refusal(status: int, body: Any, tenant: str | None = TENANT_ID, **headers: str) -> VaultError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)
    with pytest.raises(VaultError) as caught:
        vault.read(answer, tenant)
    assert caught.value.reason.remedy
    return caught.value


def error(code: str, message: str = "", inner: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {"code": code, "message": message}
    return {"error": {**told, "innererror": {"code": inner}} if inner else told}


def challenge(tenant: str = TENANT_ID, resource: str = "https://vault.azure.net") -> dict[str, str]:
    return {
        "www_authenticate": f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{resource}"'
    }


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, error("Forbidden", "Caller is not authorized", "ForbiddenByRbac"), "vault_forbidden"),
        (403, error("Forbidden", "does not have secrets get permission", "AccessDenied"), "vault_forbidden_by_policy"),
        (403, error("Forbidden", "Client address is not authorized", "ForbiddenByFirewall"), "vault_firewall"),
        (403, error("Forbidden", "Public network access is disabled", "ForbiddenByConnection"), "vault_firewall"),
        (403, error("Forbidden", "Operation get is not allowed", "SecretDisabled"), "secret_disabled"),
        (403, error("Forbidden", "whatever comes next", "SomethingNew"), "vault_forbidden"),
        (404, error("SecretNotFound", "A secret was not found"), "secret_not_found"),
        (404, error("NotFound"), "vault_rejected"),
        (400, error("BadParameter"), "vault_rejected"),
        (429, error("Throttled"), "vault_throttled"),
        (500, error("InternalServerError"), "vault_error"),
        (503, b"", "vault_error"),
        (429, b"slow down", "vault_throttled"),
        (403, b"<html>The firewall of your company", "vault_intercepted"),
        (404, b"<html>", "vault_intercepted"),
        (302, b"", "vault_intercepted"),
        (200, b"<html>", "vault_intercepted"),
        (200, {"value": None}, "vault_intercepted"),
        (200, b'{"value": "\\ud800"}', "vault_intercepted"),
        (401, b"", "vault_intercepted"),
        (418, error("Teapot"), "vault_rejected"),
        (404, {"error": "Not Found"}, "vault_intercepted"),
        (403, {"error": {"code": 1, "innererror": "x"}}, "vault_forbidden"),
    ],
    ids=str,
)
def test_refusals(status: int, body: Any, code: str) -> None:
    assert refusal(status, body).reason.code == code


def test_the_missing_role_is_named() -> None:
    assert "Key Vault Secrets User" in refusal(403, error("Forbidden", "", "ForbiddenByRbac")).reason.remedy


def test_another_tenant_is_named() -> None:
    found = refusal(401, error("Unauthorized", "AKV10032: Invalid issuer."), **challenge(OTHER_TENANT))
    assert found.reason.code == "vault_wrong_tenant"
    assert OTHER_TENANT in found.detail
    assert TENANT_ID in found.detail
    known = refusal(401, error("Unauthorized", "AKV10032: Invalid issuer."), None, **challenge())
    assert known.reason.code == "vault_wrong_tenant"


def test_another_audience_is_named() -> None:
    found = refusal(
        401, error("Unauthorized", "AKV10022: Invalid audience."), **challenge(resource="https://vault.azure.cn")
    )
    assert (found.reason.code, "https://vault.azure.cn" in found.detail) == ("vault_unauthorized", True)


def test_what_looks_like_a_token_is_not_told() -> None:
    found = refusal(403, error("Forbidden", f"Bearer {jwt()}\r\n\x1b[31mno", "ForbiddenByRbac"))
    assert jwt().split(".")[1] not in found.message + str(found)
    assert "\x1b" not in found.message
    assert "\r" not in found.message


CONTENT = {
    "value": "hunter2",
    "id": "https://v.vault.azure.net/secrets/db/4387e9f3d6e14c459867679a90fd0f79",
    "contentType": "text/plain",
    "attributes": {"enabled": True, "created": NOW, "updated": NOW + 1, "exp": NOW + 2},
}


def read(content: dict[str, Any]) -> vault.Secret:
    return vault.read(Answer(200, {}, json.dumps(content).encode()), TENANT_ID)


def test_a_secret() -> None:
    secret = read(CONTENT)
    assert (secret.value, secret.version) == ("hunter2", "4387e9f3d6e14c459867679a90fd0f79")
    assert (secret.content_type, secret.date("created"), secret.date("nbf")) == (
        "text/plain",
        "2023-11-14T22:13:20Z",
        None,
    )
    assert "hunter2" not in f"{secret} {secret!r}"
    assert [secret.is_past(NOW + 1), secret.is_past(NOW + 2)] == [False, True]


def test_a_secret_with_nothing_beside_its_value() -> None:
    secret = read({"value": ""})
    assert (secret.value, secret.version, secret.content_type, secret.date("exp")) == ("", None, None, None)
    assert not secret.is_past(NOW)


def test_what_may_pass_is_tried_again() -> None:
    assert [vault.wait("vault_throttled", tries, None) for tries in (1, 2, 3, 4, 5)] == [1, 2, 4, 8, None]
    assert vault.wait("vault_error", 1, "30") == 30
    assert vault.wait("vault_error", 1, "soon") == 1
    assert vault.wait("vault_forbidden", 1, "30") is None


def test_every_reason_has_its_words() -> None:
    for reason in vault.REASONS.values():
        assert reason.meaning.endswith(".")
        assert reason.remedy.endswith(".")


PIECES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["ForbiddenByRbac", "Forbidden"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "message", "innererror", "value", "id", "attributes"]), inner
        )
    ),
    max_leaves=10,
)


@given(st.sampled_from([200, 302, 400, 401, 403, 404, 429, 500]), PIECES, st.text(max_size=40))
def test_no_answer_breaks_the_reader(status: int, body: Any, challenge: str) -> None:
    """Whatever comes, it is a secret or one of the reasons."""
    answer = Answer(status, {"www-authenticate": challenge}, json.dumps(body).encode())
    try:
        secret = vault.read(answer, TENANT_ID)
    except VaultError:
        return
    assert (status, secret.value) == (200, body["value"])
    secret.date("exp")
