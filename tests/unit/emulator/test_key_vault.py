# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for Key Vault over real TLS: who may read a secret, and in which words others are refused."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any, Optional

import pytest
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running, start
from azure_imds_emulator.attestation.authority import pem

SECRET = "Tr0ub4dor&3-not-for-logs"
TENANT = "11111111-2222-3333-4444-555555555555"
VAULT: dict[str, Any] = {
    "name": "kv-web",
    "readers": ["id-web"],
    "secrets": {
        "db-password": SECRET,
        "off": {"value": SECRET, "enabled": False},
        "key": {"value": "k", "content_type": "text/plain", "tags": {"team": "web"}, "version": "0" * 32, "expires": 5},
    },
}
PATH = "/secrets/db-password?api-version=7.4"


class Machine:
    """The clock of the machine, which stands still."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


class Client:
    """A VM with the identities id-web and id-other, which talks to the vaults."""

    def __init__(self, imds: Running) -> None:
        self.imds = imds
        self.context = ssl.create_default_context(cadata=pem(imds.emulator.authority.root()).decode())

    def describe(self, *vaults: Mapping[str, Any], **identity: Any) -> None:
        vm = {
            "name": "web1",
            "identity": {"system_assigned": True, "user_assigned": ["id-web", "id-other"], **identity},
        }
        assert self.imds.control("PUT", "/vms", [vm])[0] == 200
        assert self.imds.control("PUT", "/vaults", vaults or [VAULT])[0] == 200

    def token(self, identity: str = "id-web", resource: str = "https://vault.azure.net") -> str:
        shown = self.imds.control("GET", "/identities/web1")[1]["identities"]
        (client_id,) = (each["client_id"] for each in shown if each["name"] == identity)
        path = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}&client_id={client_id}"
        return str(self.imds.get(path).json()["access_token"])

    def ask(
        self, path: str = PATH, token: Optional[str] = None, method: str = "GET", host: str = "localhost", **more: str
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """Status, parsed body, headers."""
        connection = http.client.HTTPSConnection(
            "localhost", self.imds.vault_address[1], timeout=10, context=self.context
        )
        try:
            headers = {"Host": host, **{name.replace("_", "-"): value for name, value in more.items()}}
            if token is not None:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), dict(answer.getheaders())
        finally:
            connection.close()

    def refused(self, path: str = PATH, token: Optional[str] = None, **more: Any) -> tuple[int, str, str, str]:
        """Status, code, message, inner code."""
        status, answer, _headers = self.ask(path, token, **more)
        error = answer["error"]
        return status, error["code"], error["message"], error.get("innererror", {}).get("code", "")


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One emulator for the whole file: the keys of its CA take a while."""
    with start(ca_directory=tmp_path_factory.mktemp("ca"), clock=Machine(), with_vault=True) as started:
        yield Client(started)


@pytest.fixture(name="client")
def _client(shared: Client) -> Client:
    shared.imds.control("DELETE", "/faults")
    shared.describe()
    return shared


def test_who_may_read_gets_the_secret(client: Client) -> None:
    status, answer, headers = client.ask(token=client.token(), x_ms_client_request_id="abc")
    assert status == 200
    assert answer["value"] == SECRET
    assert answer["id"].startswith("https://localhost/secrets/db-password/")
    assert answer["attributes"]["enabled"] is True
    assert "contentType" not in answer
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["x-ms-client-request-id"] == "abc"
    assert headers["x-ms-keyvault-region"] == "westeurope"
    assert headers["x-ms-keyvault-network-info"] == "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"
    assert "Server" not in headers


def test_a_version_content_type_and_tags(client: Client) -> None:
    status, answer, _headers = client.ask(f"/secrets/KEY/{'0' * 32}?api-version=2025-07-01", client.token())
    assert (status, answer["value"], answer["contentType"], answer["tags"]) == (200, "k", "text/plain", {"team": "web"})
    assert answer["attributes"]["exp"] == 5
    assert "nbf" not in answer["attributes"]
    assert client.refused(f"/secrets/key/{'1' * 32}?api-version=7.4", client.token())[:2] == (404, "SecretNotFound")


@pytest.mark.parametrize("version", ["2016-10-01", "7.0", "7.6", "2025-07-01", "2026-04-01"])
def test_versions_of_clients_old_and_new(client: Client, version: str) -> None:
    assert client.ask(f"/secrets/db-password/?api-version={version}", client.token())[0] == 200


@pytest.mark.parametrize("reader", ["client_id", "object_id", "VM"])
def test_readers_are_named_by_ids_or_by_the_vm(client: Client, reader: str) -> None:
    own = client.imds.control("GET", "/identities/web1")[1]["identities"][0]
    client.describe({**VAULT, "readers": ["web1" if reader == "VM" else own[reader].upper()]})
    assert client.ask(token=client.token("system"))[0] == 200
    assert client.refused(token=client.token())[0] == 403


# --- 401 --------------------------------------------------------------------------------------------------------------


def test_a_request_without_a_token_is_told_where_to_get_one(client: Client) -> None:
    status, answer, headers = client.ask()
    message = "AKV10000: Request is missing a Bearer or PoP token."
    assert (status, answer) == (401, {"error": {"code": "Unauthorized", "message": message}})
    assert headers["WWW-Authenticate"] == (
        'Bearer authorization="https://login.microsoftonline.com/7b0c35bd-5e8b-4f3c-9a52-2c1e64f0d9a7", '
        'resource="https://vault.azure.net"'
    )


@pytest.mark.parametrize("resource", ["https://vault.azure.net/", "https://management.azure.com/"])
def test_a_token_for_something_else_is_refused_even_for_a_slash_more(client: Client, resource: str) -> None:
    status, code, message, _inner = client.refused(token=client.token(resource=resource))
    assert (status, code) == (401, "Unauthorized")
    assert message.startswith("AKV10022: Invalid audience. Expected https://vault.azure.net")
    assert message.endswith(f"found: {resource}.")


def test_a_token_of_another_tenant_is_refused(client: Client) -> None:
    client.describe({**VAULT, "tenant": TENANT})
    status, _code, message, _inner = client.refused(token=client.token())
    assert status == 401
    assert message == (
        f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{TENANT}/, "
        "found https://sts.windows.net/7b0c35bd-5e8b-4f3c-9a52-2c1e64f0d9a7/."
    )


def test_tokens_expire(client: Client) -> None:
    client.describe(token_lifetime=3600)
    token = client.token()
    client.imds.control("POST", "/clock", {"advance": 3700})
    assert client.ask(token=token)[0] == 200  # clocks may differ
    client.imds.control("POST", "/clock", {"advance": 300})
    assert client.refused(token=token)[:3] == (401, "Unauthorized", "Error validating token: IDX10223")


def forged(token: str, **claims: Any) -> str:
    """The same token with other claims, and the signature as it was."""
    head, body, signature = token.split(".")
    stated = {**json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))), **claims}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(stated).encode()).decode().rstrip('=')}.{signature}"


def unsigned(token: str) -> str:
    """The same claims under ``alg: none``."""
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


def test_a_forged_token_is_refused(client: Client) -> None:
    good = client.token()
    other = client.token("id-other")
    oid = json.loads(base64.urlsafe_b64decode(good.split(".")[1] + "==="))["oid"]
    for token in (forged(other, oid=oid), unsigned(good), good[:-4] + "AAAA"):
        assert client.refused(token=token)[2].startswith("AKV10046")
    for token in ("x", "a.b.c", good.rpartition(".")[0], "....", "é.é.é".encode().decode("latin-1"), "W10.W10.W10"):
        assert client.refused(token=token)[:3] == (401, "Unauthorized", "Error validating token: IDX12741")


# --- 403 and 404 ------------------------------------------------------------------------------------------------------


def test_who_has_no_role_is_refused(client: Client) -> None:
    token = client.token("id-other")
    status, code, message, inner = client.refused(token=token)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
    assert (status, code, inner) == (403, "Forbidden", "ForbiddenByRbac")
    assert message.startswith("Caller is not authorized to perform action on resource.\r\n")
    assert f"\r\nCaller: appid={claims['appid']};oid={claims['oid']};iss={claims['iss']};xmsmirid=" in message
    assert "\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n" in message
    assert "/vaults/kv-web/secrets/db-password'\r\n" in message
    # Whether there is such a secret is not told.
    assert client.refused("/secrets/none?api-version=7.4", token)[3] == "ForbiddenByRbac"


def test_who_is_in_no_access_policy_is_refused(client: Client) -> None:
    client.describe({**VAULT, "access_model": "policies"})
    status, code, message, inner = client.refused(token=client.token("id-other"))
    assert (status, code, inner) == (403, "Forbidden", "AccessDenied")
    assert "' does not have secrets get permission on key vault 'kv-web;location=westeurope'. For help" in message


def test_the_firewall_comes_before_the_role(client: Client) -> None:
    client.describe({**VAULT, "allowed_networks": ["10.0.0.0/8"]})
    status, code, message, inner = client.refused(token=client.token("id-other"))
    assert (status, code, inner) == (403, "Forbidden", "ForbiddenByFirewall")
    assert "\r\nClient address: 127.0.0.1\r\nCaller: appid=" in message
    client.describe({**VAULT, "allowed_networks": ["127.0.0.0/8"]})
    assert client.ask(token=client.token())[0] == 200


def test_a_disabled_secret(client: Client) -> None:
    assert client.refused("/secrets/off?api-version=7.4", client.token()) == (
        403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")  # fmt: skip


def test_a_secret_that_there_is_not(client: Client) -> None:
    assert client.refused("/secrets/none?api-version=7.4", client.token()) == (
        404,
        "SecretNotFound",
        "A secret with (name/id) none was not found in this key vault. If you recently deleted this secret you may be "
        "able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182",
        "",
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "words"),
    [
        ("GET", "/secrets/db-password", 400, "BadParameter", "api-version"),
        ("GET", "/secrets/db-password?api-version=", 400, "BadParameter", "api-version"),
        ("GET", "/secrets/db-password?api-version=9", 400, "BadParameter", "(9) is not recognized"),
        ("GET", "/secrets/db-password?api-version=2024-01-01", 400, "BadParameter", "not recognized"),
        ("GET", "/secrets/a%2Fb?api-version=7.4", 400, "BadParameter", "name"),
        ("GET", "/secrets?api-version=7.4", 404, "NotFound", ""),
        ("GET", "/keys/db-password?api-version=7.4", 404, "NotFound", ""),
        ("PUT", PATH, 405, "MethodNotAllowed", ""),
    ],
)
def test_other_requests_are_refused(client: Client, method: str, path: str, status: int, code: str, words: str) -> None:
    answered, said, message, _inner = client.refused(path, client.token(), method=method)
    assert (answered, said) == (status, code)
    assert words in message


def test_faults_of_the_vault(client: Client) -> None:
    token = client.token()
    client.imds.fault(path="/secrets", status=429, count=1, headers={"Retry-After": "2"})
    status, answer, headers = client.ask(token=token)
    assert (status, answer["error"]["code"], headers["Retry-After"]) == (429, "Throttled", "2")
    client.imds.fault(path="/secrets", drop=True, count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        client.ask(token=token)
    client.imds.fault(path="/secrets", delay=0.01, status=503, count=1)
    assert client.ask(token=token)[0] == 503
    assert client.ask(token=token)[0] == 200


# --- names, TLS, control ----------------------------------------------------------------------------------------------


def test_the_host_name_tells_the_vault(client: Client) -> None:
    china = {"name": "kv-cn", "cloud": "AzureChinaCloud", "secrets": {"db-password": "cn"}, "readers": ["id-web"]}
    client.describe(VAULT, china)
    assert client.ask(token=client.token(), host="KV-WEB.vault.azure.net")[1]["id"].startswith("https://KV-WEB.vault.")
    status, _answer, headers = client.ask(host="kv-cn.vault.azure.cn")
    assert (status, headers["WWW-Authenticate"]) == (
        401,
        'Bearer authorization="https://login.partner.microsoftonline.cn/7b0c35bd-5e8b-4f3c-9a52-2c1e64f0d9a7", '
        'resource="https://vault.azure.cn"',
    )
    assert client.ask(token=client.token(), host="127.0.0.1:8443")[0] == 200
    assert client.ask(token=client.token(), host="[::1]:8443")[0] == 200
    assert client.refused(token=client.token(), host="kv-none.vault.azure.net")[:2] == (404, "VaultNotFound")


@pytest.mark.parametrize("name", ["kv-web.vault.azure.net", "kv-x.vault.azure.cn", "login.microsoftonline.com", "::1"])
def test_the_certificate_is_for_all_names(client: Client, name: str) -> None:
    with socket.create_connection(client.imds.vault_address, 10) as connection:
        secured = client.context.wrap_socket(connection, server_hostname=name)
        assert secured.version() in ("TLSv1.2", "TLSv1.3")
        secured.close()


def test_peers_that_do_not_trust_us_or_speak_no_tls_are_no_error(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(client.imds.vault_address, 10) as connection:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
        assert caught.value.reason == "CERTIFICATE_VERIFY_FAILED"
    with socket.create_connection(client.imds.vault_address, 10) as connection:
        connection.sendall(b"GET /secrets/db-password?api-version=7.4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/1.1" not in connection.recv(1000)
    assert client.ask(token=client.token())[0] == 200
    assert "Traceback" not in capsys.readouterr().err


def test_tokens_and_secrets_are_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.imds.control("DELETE", "/requests")
    token = client.token()
    client.ask(token=token)
    client.ask(token=token[:-4] + "AAAA")
    logged = client.imds.requests()
    assert [each["path"] for each in logged] == ["/metadata/identity/oauth2/token", *["/secrets/db-password"] * 2]
    assert [each["status"] for each in logged] == [200, 200, 401]
    assert logged[1]["headers"]["Authorization"] == "Bearer (hidden)"
    shown = json.dumps([logged, *(client.imds.control("GET", path)[1] for path in ("/vaults", "/vms", "/identities"))])
    for hidden in (token, token.rpartition(".")[2], SECRET):
        assert hidden not in shown + caplog.text
    assert SECRET not in repr(client.imds.emulator.vaults.all())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "kv"}, "vaults"),
        ([{"secrets": {}}], "vaults[0].name"),
        ([{"name": "k"}], "vaults[0].name"),
        ([{"name": "kv--x"}], "vaults[0].name"),
        ([{"name": "kv-a"}, {"name": "KV-A"}], "vaults[1].name"),
        ([{"name": "kv-a", "secrets": [SECRET]}], "vaults[0].secrets"),
        ([{"name": "kv-a", "secrets": {"a_b": SECRET}}], "vaults[0].secrets.a_b"),
        ([{"name": "kv-a", "secrets": {"a": SECRET, "A": SECRET}}], "vaults[0].secrets"),
        ([{"name": "kv-a", "secrets": {"a": [SECRET]}}], "vaults[0].secrets.a"),
        ([{"name": "kv-a", "secrets": {"a": {"enabled": True}}}], "vaults[0].secrets.a.value"),
        ([{"name": "kv-a", "secrets": {"a": {"value": SECRET, "version": "1"}}}], "vaults[0].secrets.a.version"),
        ([{"name": "kv-a", "readers": "x"}], "vaults[0].readers"),
        ([{"name": "kv-a", "tenant": "x"}], "vaults[0].tenant"),
        ([{"name": "kv-a", "cloud": "x"}], "vaults[0].cloud"),
        ([{"name": "kv-a", "allowed_networks": ["x"]}], "vaults[0].allowed_networks"),
        ([{"name": "kv-a", "other": 1}], "vaults[0].other"),
    ],
)
def test_bad_vaults_are_refused_without_showing_secrets(client: Client, given: Any, field: str) -> None:
    before = client.imds.control("GET", "/vaults")
    status, answer = client.imds.control("PUT", "/vaults", given)
    assert (status, answer["field"]) == (400, field)
    assert SECRET not in json.dumps(answer)
    assert client.imds.control("GET", "/vaults") == before


# --- verifying tokens -------------------------------------------------------------------------------------------------


def test_anybody_can_verify_tokens(client: Client) -> None:
    """Along the way of a verifier: the issuer's document, its keys, the signature."""
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    tenant = "7b0c35bd-5e8b-4f3c-9a52-2c1e64f0d9a7"
    token = client.token()
    status, configuration = client.imds.control("GET", f"/{tenant}/.well-known/openid-configuration")
    assert status == 200
    assert configuration["issuer"] == json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))["iss"]
    address = f"http://{client.imds.control_address[0]}:{client.imds.control_address[1]}"
    assert configuration["jwks_uri"].startswith(f"{address}/")
    (key,) = client.imds.control("GET", configuration["jwks_uri"].removeprefix(address))[1]["keys"]
    signed, _dot, signature = token.rpartition(".")
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "==="))["kid"] == key["kid"]
    numbers = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "==="), "big") for name in ("e", "n"))
    public = rsa.RSAPublicNumbers(*numbers).public_key()
    public.verify(base64.urlsafe_b64decode(signature + "==="), signed.encode(), padding.PKCS1v15(), SHA256())


def test_the_tenants_documents_are_at_the_sign_in_service_too(client: Client) -> None:
    client.describe({**VAULT, "tenant": TENANT})
    path = f"/{TENANT}/v2.0/.well-known/openid-configuration"
    status, answer, _headers = client.ask(path, host="login.microsoftonline.com")
    assert (status, answer["issuer"]) == (200, f"https://sts.windows.net/{TENANT}/")
    assert answer["jwks_uri"] == f"https://login.microsoftonline.com/{TENANT}/discovery/keys"
    assert client.ask("/common/discovery/keys")[1]["keys"]
    other = TENANT.replace("1", "9")
    status, answer, _headers = client.ask(f"/{other}/discovery/v2.0/keys")
    assert (status, answer["error"], answer["error_codes"]) == (400, "invalid_tenant", [90002])
