# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/identity over real sockets: who gets a token, what is in it, and who is refused in which words."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any, Optional
from urllib.parse import quote

import pytest
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Reply, Running, start
from azure_imds_emulator.identity_store import MOST_TOKENS
from azure_imds_emulator.tokens.claims import Token

ARM = "https://management.azure.com/"
VAULT = "https://vault.azure.net"
TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-0000-4000-8000-000000000001"
OBJECT = "aaaaaaaa-0000-4000-8000-000000000002"
RESOURCE_ID = "/subscriptions/s1/resourcegroups/g1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-other"
NOT_FOUND = b'{"error":"invalid_request","error_description":"Identity not found"}'


class Machine:
    """The clock of the machine, which stands still."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now


MACHINE = Machine()


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One emulator for the whole file: the keys of its CA take a while."""
    with start(ca_directory=tmp_path_factory.mktemp("ca"), clock=MACHINE) as started:
        yield started


class Vm:
    """The one VM of the shared emulator."""

    def __init__(self, imds: Running) -> None:
        self.imds = imds

    def describe(self, profile: str = "linux", **identity: Any) -> None:
        vm = {"name": "vm1", "profile": profile, "identity": identity}
        assert self.imds.control("PUT", "/vms", [vm]) == (200, [vm])

    def ask(self, resource: str = ARM, version: str = "2018-02-01", more: str = "") -> Reply:
        query = f"api-version={version}&resource={quote(resource, safe='')}{more}"
        return self.imds.get(f"/metadata/identity/oauth2/token?{query}")

    def token(self, resource: str = ARM, more: str = "") -> dict[str, str]:
        reply = self.ask(resource, more=more)
        assert reply.status == 200, reply.body
        return dict(reply.json())

    def claims(self, resource: str = ARM, more: str = "") -> dict[str, Any]:
        return part(self.token(resource, more)["access_token"], 1)

    def advance(self, seconds: float) -> None:
        assert self.imds.control("POST", "/clock", {"advance": seconds})[0] == 200


@pytest.fixture(name="vm")
def _vm(shared: Running) -> Vm:
    """A VM with a system-assigned identity."""
    vm = Vm(shared)
    vm.describe(system_assigned=True)
    return vm


def part(token: str, number: int) -> dict[str, Any]:
    """Header (0) or claims (1) of a JSON Web Token."""
    text = token.split(".")[number]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def now(vm: Vm) -> int:
    return int(vm.imds.control("GET", "/clock")[1]["now"])


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_an_answer_has_all_keys_and_only_strings(vm: Vm) -> None:
    answer = vm.token()
    assert all(isinstance(value, str) for value in answer.values())
    assert sorted(answer) == ["access_token", "client_id", "expires_in", "expires_on", "ext_expires_in", "not_before",
                              "refresh_token", "resource", "token_type"]  # fmt: skip
    assert (answer["refresh_token"], answer["resource"], answer["token_type"]) == ("", ARM, "Bearer")
    assert answer["expires_in"] == "86400"
    assert int(answer["expires_on"]) == now(vm) + 86400
    assert int(answer["not_before"]) == now(vm) - 300


def test_headers_are_those_of_the_service(vm: Vm) -> None:
    reply = vm.ask()
    assert reply.names == ["Content-Type", "Server", "x-ms-request-id", "Date", "Content-Length"]
    assert reply.header("Content-Type") == "application/json; charset=utf-8"


def test_a_token_claims_what_azure_s_claim(vm: Vm) -> None:
    answer = vm.token()
    assert answer["access_token"].count(".") == 2
    header = part(answer["access_token"], 0)
    assert (header["typ"], header["alg"], header["kid"]) == ("JWT", "RS256", header["x5t"])
    claims = part(answer["access_token"], 1)
    issuer = "https://sts.windows.net/7b0c35bd-5e8b-4f3c-9a52-2c1e64f0d9a7/"
    assert claims["aud"] == ARM
    assert claims["iss"] == claims["idp"] == issuer
    assert claims["tid"] in issuer
    assert claims["appid"] == answer["client_id"]
    assert claims["sub"] == claims["oid"] != claims["appid"]
    assert (claims["appidacr"], claims["idtyp"], claims["ver"]) == ("2", "app", "1.0")
    assert claims["iat"] == claims["nbf"] == int(answer["not_before"])
    assert claims["exp"] - claims["iat"] == 24 * 3600 + 300
    assert {"aio", "rh", "uti"} <= set(claims)
    document = vm.imds.instance().json()["compute"]
    assert claims["xms_mirid"].lower() == document["resourceId"].lower()
    assert "xms_az_rid" not in claims


def test_a_user_assigned_identity_names_itself_and_the_vm(vm: Vm) -> None:
    vm.describe(user_assigned=["id-web"])
    claims = vm.claims()
    vm_id = vm.imds.instance().json()["compute"]["resourceId"].lower()
    group = vm_id.partition("/providers/")[0]
    assert claims["xms_mirid"].lower() == f"{group}/providers/microsoft.managedidentity/userassignedidentities/id-web"
    assert claims["xms_az_rid"].lower() == vm_id


def test_an_instance_of_a_uniform_scale_set_has_the_identity_of_the_set(vm: Vm) -> None:
    vm.describe(profile="scale_set", system_assigned=True)
    name = vm.imds.instance().json()["compute"]["vmScaleSetName"]
    assert vm.claims()["xms_mirid"].endswith(f"/virtualMachineScaleSets/{name}")


@pytest.mark.parametrize(
    ("profile", "issuer"),
    [
        ("us_government", f"https://sts.windows.net/{TENANT}/"),
        ("china", f"https://sts.chinacloudapi.cn/{TENANT}/"),
    ],
)
def test_the_issuer_is_that_of_the_cloud(vm: Vm, profile: str, issuer: str) -> None:
    vm.describe(profile=profile, system_assigned=True, tenant=TENANT)
    assert vm.claims()["iss"] == issuer


@pytest.mark.parametrize("query", [
    "api-version=2018-02-01&resource=https://management.azure.com/",
    "resource=https%3A%2F%2Fmanagement.azure.com%2F&api-version=2025-04-07&format=json",
    f"msi_res_id={RESOURCE_ID}&resource=https://management.azure.com/&api-version=2019-08-01",
])  # fmt: skip
def test_parameters_may_be_raw_or_encoded_in_any_order(vm: Vm, query: str) -> None:
    vm.describe(user_assigned=[{"name": "id-other", "resource_id": RESOURCE_ID}])
    reply = vm.imds.get(f"/metadata/identity/oauth2/token?{query}")
    assert reply.json()["resource"] == ARM


def test_headers_of_clients_do_no_harm(vm: Vm) -> None:
    path = f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={ARM}"
    reply = vm.imds.get(path, Metadata="True", x_client_SKU="MSAL.Python", x_ms_client_request_id="1", Accept="*/*")
    assert reply.status == 200


@pytest.mark.parametrize("resource", [VAULT, VAULT + "/", "api://my-app", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"])
def test_the_audience_is_the_resource_as_it_was_asked_for(vm: Vm, resource: str) -> None:
    assert vm.claims(resource)["aud"] == resource


def test_a_token_is_kept_until_half_of_its_life(vm: Vm) -> None:
    first = vm.token()
    assert vm.token()["access_token"] == first["access_token"]
    assert vm.token(VAULT)["access_token"] != first["access_token"]
    vm.advance(43000)
    later = vm.token()
    assert later["access_token"] == first["access_token"]
    assert later["expires_in"] == str(86400 - 43000)
    vm.advance(300)
    assert vm.token()["access_token"] != first["access_token"]


def test_bypass_cache_makes_a_new_token_which_is_kept(vm: Vm) -> None:
    first = vm.token()["access_token"]
    assert vm.token(more="&bypass_cache=false")["access_token"] == first
    second = vm.token(more="&bypass_cache=true")["access_token"]
    assert second != first
    assert vm.token()["access_token"] == second


def test_without_the_cache_every_token_is_new(vm: Vm) -> None:
    vm.describe(system_assigned=True, cached=False, token_lifetime=3600)
    first, second = vm.token(), vm.token()
    assert first["access_token"] != second["access_token"]
    assert first["expires_in"] == "3600"


def test_tokens_do_not_pile_up(vm: Vm) -> None:
    store = vm.imds.emulator.identities
    (machine,) = vm.imds.emulator.vms.all()
    (identity,) = store.managed(machine).identities
    made = [Token(str(i), int(MACHINE.now), 0, 2**40) for i in range(2 * MOST_TOKENS)]
    for i, token in enumerate(made):
        assert store.token(machine, identity, f"https://{i}", False, iter([token]).__next__) is token
    again = [store.token(machine, identity, f"https://{i}", False, lambda: made[0]) for i in range(2 * MOST_TOKENS)]
    assert sum(token is not made[0] for token in again) < MOST_TOKENS


# --- which identity ---------------------------------------------------------------------------------------------------


def test_the_system_assigned_identity_serves_when_none_is_named(vm: Vm) -> None:
    vm.describe(system_assigned={"client_id": CLIENT, "object_id": OBJECT}, user_assigned=["id-a", "id-b"])
    claims = vm.claims()
    assert (claims["appid"], claims["oid"]) == (CLIENT, OBJECT)


def test_several_user_assigned_identities_are_ambiguous(vm: Vm) -> None:
    vm.describe(user_assigned=["id-a", "id-b"])
    reply = vm.ask()
    assert reply.status == 400
    assert reply.body == (
        b'{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the '
        b'clientId / resourceId of the identity in the token request"}'
    )
    assert len(reply.body) == 168
    assert vm.ask(more="&client_id=").status == 400


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("client_id", CLIENT),
        ("client_id", CLIENT.upper()),
        ("object_id", OBJECT),
        ("msi_res_id", RESOURCE_ID),
        ("msi_res_id", RESOURCE_ID.upper() + "/"),
        ("mi_res_id", RESOURCE_ID),
    ],
)
def test_an_identity_is_selected_by_any_of_its_ids(vm: Vm, selector: str, value: str) -> None:
    other = {"name": "id-other", "client_id": CLIENT, "object_id": OBJECT, "resource_id": RESOURCE_ID}
    vm.describe(system_assigned=True, user_assigned=["id-a", other])
    answer = vm.token(more=f"&{selector}={quote(value)}")
    assert answer["client_id"] == CLIENT
    assert selector == "client_id" or answer.get(selector, value) == value
    assert (selector in answer) == (selector in ("client_id", "object_id", "msi_res_id"))


def test_the_same_identity_has_the_same_ids_on_every_vm(shared: Running) -> None:
    vms = [{"name": name, "sources": [f"10.1.0.{i}"], "identity": {"system_assigned": True, "user_assigned": ["id-a"]}}
           for i, name in enumerate(("vm1", "vm2"), 4)]  # fmt: skip
    assert shared.control("PUT", "/vms", vms)[0] == 200
    shown = shared.control("GET", "/identities")[1]
    (own1, user1), (own2, user2) = (shown[name]["identities"] for name in ("vm1", "vm2"))
    assert user1 == user2
    assert own1["client_id"] != own2["client_id"]


def test_the_tenant_is_told_where_there_is_an_identity(vm: Vm) -> None:
    vm.describe(user_assigned=["id-a"], tenant=TENANT)
    path = "/metadata/identity/info?api-version=2018-02-01"
    assert vm.imds.get(path).body == f'{{"tenantId":"{TENANT}"}}'.encode()
    vm.describe()
    assert (vm.imds.get(path).status, vm.imds.get(path).body) == (400, NOT_FOUND)


# --- refusals, in their order -----------------------------------------------------------------------------------------

TOKEN = "/metadata/identity/oauth2/token"
REFUSED: dict[str, tuple[tuple[str, str, Optional[str]], int, str, str]] = {
    "version 2, without the header": (
        ("GET", "/metadata/identity/getplatformmetadata?cred-api-version=2.0", None), 404, "Not Found", ""),
    "version 2, with another verb": (
        ("POST", "/metadata/identity/issueCredential?cred-api-version=2.0", None), 404, "Not Found", ""),
    "no header on a wrong path": (("POST", "/metadata/identity/nothing", None), 400, "invalid_request", "header"),
    "header false": (("GET", TOKEN, "false"), 400, "invalid_request", "header"),
    "SqlClient's probe": (("GET", TOKEN, None), 400, "invalid_request", "header"),
    "wrong path with a wrong verb": (("POST", "/metadata/identity/nothing", "true"), 404, "Not Found", ""),
    "retired path": (("GET", "/metadata/identity/oauth2?api-version=2018-02-01", "true"), 404, "Not Found", ""),
    "other verb": (("POST", TOKEN, "true"), 405, "method_not_allowed", ""),
    "other verb, at the tenant": (("DELETE", "/metadata/identity/info", "true"), 405, "method_not_allowed", ""),
    "no version": (("GET", f"{TOKEN}?resource=x", "true"), 400, "invalid_request", "api-version"),
    "no version, at the tenant": (("GET", "/metadata/identity/info", "true"), 400, "invalid_request", "api-version"),
    "empty version": (("GET", f"{TOKEN}?api-version=", "true"), 400, "invalid_request", "api-version"),
    "version before identities": (
        ("GET", f"{TOKEN}?api-version=2017-12-01", "true"), 400, "invalid_request", "api-version"),
    "no resource, two selectors": (
        ("GET", f"{TOKEN}?api-version=2018-02-01&client_id=a&object_id=b", "true"), 400, "invalid_request",
        "resource"),
    "two selectors, both unknown": (
        ("GET", f"{TOKEN}?api-version=2018-02-01&resource=x&client_id=a&mi_res_id=b", "true"), 400,
        "invalid_request", "Only one"),
    "unknown identity, unknown resource": (
        ("GET", f"{TOKEN}?api-version=2018-02-01&resource=x&client_id={CLIENT}", "true"), 400, "invalid_request",
        "Identity not found"),
    "ambiguous, unknown resource": (
        ("GET", f"{TOKEN}?api-version=2018-02-01&resource=x", "true"), 400, "invalid_request", "Multiple user"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_come_in_their_order(vm: Vm, case: str) -> None:
    (method, path, header), status, error, words = REFUSED[case]
    vm.describe(user_assigned=["id-a", "id-b"])
    reply = vm.imds.raw(
        f"{method} {path} HTTP/1.1\r\nHost: imds\r\n{f'Metadata: {header}' if header else 'A: b'}\r\n\r\n".encode()
    )
    assert reply is not None
    assert reply.status == status
    assert reply.json()["error"] == error
    assert words in reply.json().get("error_description", "")
    assert (reply.header("Server") or "").startswith("IMDS/")


@pytest.mark.parametrize("selector", ["client_id", "object_id", "msi_res_id"])
def test_an_identity_of_another_vm_is_not_found(vm: Vm, selector: str) -> None:
    vm.describe(system_assigned=True)
    reply = vm.ask(more=f"&{selector}={CLIENT}")
    assert (reply.status, reply.body) == (400, NOT_FOUND)


def test_the_vm_is_not_an_identity(vm: Vm) -> None:
    vm_id = vm.claims()["xms_mirid"]
    assert vm.ask(more=f"&msi_res_id={vm_id}").body == NOT_FOUND


@pytest.mark.parametrize("resource", ["arm", "https://management.azure.com/.default", "not a uri:"])
def test_an_unknown_resource_is_refused_by_entra_id(vm: Vm, resource: str) -> None:
    reply = vm.ask(resource)
    answer = reply.json()
    assert reply.status == 400
    assert list(answer) == sorted(
        ["error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"]
    )
    assert answer["error"] == "invalid_resource"
    assert answer["error_codes"] == [500011]
    start = f"AADSTS500011: The resource principal named {resource} was not found in the tenant named "
    assert answer["error_description"].startswith(start)
    assert answer["error_description"].endswith(f"Timestamp: {answer['timestamp']}")
    assert time.strptime(answer["timestamp"], "%Y-%m-%d %H:%M:%SZ")


def test_the_tenant_s_resources_can_be_listed(vm: Vm) -> None:
    vm.describe(system_assigned=True, resources=["https://vault.azure.net/", "odd"])
    assert vm.ask(VAULT).status == vm.ask("odd").status == 200
    assert vm.ask(ARM).json()["error_codes"] == [500011]


@pytest.mark.parametrize(("state", "code"), [("disabled", 7000112), ("deleted", 700016)])
def test_a_principal_that_is_no_longer_good_gets_no_token(vm: Vm, state: str, code: int) -> None:
    vm.describe(system_assigned={"state": state})
    answer = vm.ask().json()
    assert (answer["error"], answer["error_codes"]) == ("unauthorized_client", [code])


# --- what others' clients send ----------------------------------------------------------------------------------------

URL = "https%3A%2F%2Fmanagement.azure.com"
ENCODED_ID = quote(RESOURCE_ID, safe="")
RECORDED: dict[str, tuple[str, dict[str, str], int]] = {
    # Recorded in November 2026: azure-identity 1.27.0 and msal 1.39.0 (Python), @azure/identity 4.13.1,
    # @azure/msal-node 7.2.3, msrestazure 0.6.4, go-autorest/adal 14.2.
    "Python's chain probes": ("api-version=2018-02-01&resource=https://management.azure.com", {}, 400),
    "azure-identity": (
        f"api-version=2018-02-01&resource=https://management.azure.com&msi_res_id={RESOURCE_ID}",
        {"Metadata": "true", "x-client-SKU": "MSAL.Python", "x-client-Ver": "1.39.0"},
        200,
    ),
    "msal": (
        f"api-version=2018-02-01&resource={URL}&msi_res_id={ENCODED_ID}",
        {"Metadata": "true", "x-client-SKU": "MSAL.Python", "x-client-Ver": "1.39.0"},
        200,
    ),
    "JavaScript's chain probes": ("", {"Accept": "application/json"}, 400),
    "@azure/identity": (
        f"api-version=2018-02-01&resource={URL}&object_id={OBJECT}",
        {"Metadata": "true", "Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
        200,
    ),
    "@azure/msal-node": (
        f"api-version=2018-02-01&resource={URL}&client_id={CLIENT}",
        {"Metadata": "true", "accept": "*/*", "sec-fetch-mode": "cors", "x-client-SKU": "msal.js.node"},
        200,
    ),
    "msrestazure": (
        "resource=https%3A%2F%2Fmanagement.core.windows.net%2F&api-version=2018-02-01&msi_res_id=" + ENCODED_ID,
        {"Metadata": "true", "Accept-Encoding": "gzip, deflate"},
        200,
    ),
    "go-autorest": (
        f"api-version=2018-02-01&mi_res_id={ENCODED_ID}&resource={URL}%2F",
        {"Metadata": "true", "User-Agent": "Go/go1.19.8 (amd64-linux) go-autorest/adal/v1.0.0"},
        200,
    ),
}


@pytest.mark.parametrize("client", RECORDED)
def test_requests_of_others_clients(vm: Vm, client: str) -> None:
    query, headers, status = RECORDED[client]
    other = {"name": "id-other", "client_id": CLIENT, "object_id": OBJECT, "resource_id": RESOURCE_ID}
    vm.describe(user_assigned=["id-a", other])
    lines = [f"GET {TOKEN}{'?' if query else ''}{query} HTTP/1.1", "Host: 169.254.169.254"]
    reply = vm.imds.raw("\r\n".join([*lines, *(f"{name}: {text}" for name, text in headers.items()), "", ""]).encode())
    assert reply is not None
    assert reply.status == status
    assert status != 200 or reply.json()["client_id"] == CLIENT


# --- at run time ------------------------------------------------------------------------------------------------------


def test_identities_come_and_go_at_run_time(vm: Vm) -> None:
    vm.describe()
    assert vm.ask().body == NOT_FOUND
    status, added = vm.imds.control("POST", "/identities/vm1", "id-a")
    assert (status, added["kind"], added["name"]) == (200, "user", "id-a")
    assert vm.token()["client_id"] == added["client_id"]
    assert vm.imds.control("POST", "/identities/vm1", {"kind": "system", "client_id": CLIENT})[0] == 200
    assert vm.token()["client_id"] == CLIENT
    assert vm.imds.control("DELETE", "/identities/vm1/system")[1]["client_id"] == CLIENT
    assert vm.token()["client_id"] == added["client_id"]
    assert vm.imds.control("DELETE", f"/identities/vm1/{added['client_id']}")[0] == 200
    assert vm.ask().body == NOT_FOUND
    status, shown = vm.imds.control("PUT", "/identities/vm1", {"system_assigned": True, "tenant": TENANT})
    assert (status, shown["tenant"], len(shown["identities"])) == (200, TENANT, 1)
    assert vm.claims()["tid"] == TENANT


def test_a_request_under_way_does_not_bring_an_old_list_back(vm: Vm) -> None:
    (old,) = vm.imds.emulator.vms.all()
    vm.describe()
    assert vm.imds.control("POST", "/identities/vm1", {"resource_id": RESOURCE_ID})[1]["name"] == "id-other"
    assert [each.is_system for each in vm.imds.emulator.identities.managed(old).identities] == [True]
    assert vm.token()["client_id"] == vm.imds.control("GET", "/identities/vm1")[1]["identities"][0]["client_id"]


def test_an_identity_takes_time_to_propagate(vm: Vm) -> None:
    vm.describe(propagation_delay=30)
    assert vm.imds.control("POST", "/identities/vm1", "id-a")[0] == 200
    vm.advance(20)
    assert vm.imds.control("POST", "/identities/vm1", "id-b")[0] == 200
    assert vm.ask().body == NOT_FOUND
    vm.advance(15)
    shown = vm.imds.control("GET", "/identities/vm1")[1]["identities"]
    assert [(each["name"], each["propagated"]) for each in shown] == [("id-a", True), ("id-b", False)]
    assert vm.ask().status == 200  # the only one that is known
    vm.advance(15)
    assert "Multiple" in vm.ask().json()["error_description"]


def test_the_delay_counts_from_the_new_list_of_vms(vm: Vm) -> None:
    vm.describe(system_assigned=True, propagation_delay=30)
    vm.advance(30)
    assert vm.ask().status == 200
    vm.describe(system_assigned=True, propagation_delay=30)
    assert vm.ask().status == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/identities/vm1", "id-a", 400, "two identities"),
        ("POST", "/identities/vm1", {"name": "id-b", "client_id": CLIENT}, 400, CLIENT),
        ("POST", "/identities/vm1", {"kind": "system", "name": "x"}, 400, "name"),
        ("POST", "/identities/vm1", {}, 400, "name"),
        ("POST", "/identities/vm1", {"name": "id-x", "resource_id": RESOURCE_ID}, 400, "id-other"),
        ("POST", "/identities/vm1", "", 400, "string"),
        ("POST", "/identities/vm1", {"name": "a", "client_id": "x"}, 400, "client_id"),
        ("POST", "/identities/vm1", {"name": "a", "resource_id": "x"}, 400, "resource_id"),
        ("POST", "/identities/other", "id-b", 404, "vm1"),
        ("DELETE", "/identities/vm1/id-b", None, 404, "id-b"),
        ("GET", "/identities/other", None, 404, "vm1"),
        ("PUT", "/identities/vm1", {"user_assigned": "id-b"}, 400, "user_assigned"),
        ("PUT", "/identities/vm1", {"tenant": "x"}, 400, "tenant"),
        ("PUT", "/identities/vm1", {"unknown": 1}, 400, "unknown"),
        ("PUT", "/identities/vm1", {"user_assigned": ["id-b", "system"]}, 400, "user_assigned[1]"),
        ("PATCH", "/identities/vm1", {}, 405, "PUT"),
        ("GET", "/identities/vm1/id-a/more", None, 404, "unknown path"),
    ],
)
def test_bad_input_changes_nothing(vm: Vm, method: str, path: str, body: Any, status: int, words: str) -> None:
    vm.describe(user_assigned=[{"name": "id-a", "client_id": CLIENT}])
    before = vm.imds.control("GET", "/identities")
    answered, answer = vm.imds.control(method, path, body)
    assert answered == status
    assert words in answer["error"]
    assert vm.imds.control("GET", "/identities") == before


def test_a_classic_vm_has_no_identity(shared: Running) -> None:
    vm = {"name": "old", "classic": True, "identity": {"system_assigned": True}}
    assert "vms[0].identity" in shared.control("PUT", "/vms", [vm])[1]["error"]
    assert shared.control("PUT", "/vms", [{"name": "old", "classic": True}])[0] == 200
    assert shared.control("POST", "/identities/old", "id-a")[0] == 400


# --- signature --------------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_key_in_the_header(vm: Vm) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    token = vm.token()["access_token"]
    der = base64.b64decode(vm.imds.emulator.tenants.issuer.key_set("")["keys"][0]["x5c"][0])
    signed, _dot, signature = token.rpartition(".")
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.verify(raw, signed.encode(), padding.PKCS1v15(), SHA256())
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode().rstrip("=")
    assert part(token, 0)["x5t"] == thumbprint
