# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One play that does all that the modules and the lookup for tokens and secrets can do, and meets their failures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.imds.azure.tests.scenarios.identities import jwt
from ansible_collections.imds.azure.tests.scenarios.running_emulator import Running

# What encodings leave alone; quoting and escaping can't hide it.
CORE = "Tr0ub4dorNotForAnyLog"
SECRET = f'{CORE} & "quotes" \\ \u00fc\nand a second line'
VAULT = {
    "name": "kv-web",
    "readers": ["id-web"],
    "secrets": {"db-password": SECRET, "off": {"value": SECRET, "enabled": False}},
}
IDENTITY = {
    "user_assigned": ["id-web", "id-other", "id-shown", {"name": "id-disabled", "state": "disabled"}],
    "resources": ["https://vault.azure.net", "https://management.azure.com/"],
}
PLANTED = jwt(oid="planted-in-answers-that-are-none")
# What goes wrong with IMDS and with the vault, in the order of the tasks that meet it; twice, what
# is asked for again once.
TOKEN_FAULTS: list[dict[str, Any]] = [
    {"truncate": True, "count": 2},
    {"status": 500, "body": json.dumps({"access_token": PLANTED})},
    {"status": 403, "body": json.dumps({"error": "access_denied", "error_description": f"for {PLANTED}"})},
    {"html": f"<html>{PLANTED}</html>", "count": 2},
    {"redirect": f"http://127.0.0.1:1/?token={PLANTED}", "count": 2},
    {"msp": True},
    {"status": 429, "headers": {"Retry-After": "100"}},
    {"drop": True},
]
LOOKUP_FAULTS: list[dict[str, Any]] = [
    {"truncate": True, "count": 2},
    {"status": 403, "body": json.dumps({"error": "access_denied", "error_description": f"for {PLANTED}"})},
    {"html": f"<html>{PLANTED}</html>", "count": 2},
]
VAULT_FAULTS: list[dict[str, Any]] = [
    {"truncate": True},
    {"status": 403, "body": json.dumps({"error": {"code": "Forbidden", "message": f"{PLANTED}"}})},
    {"status": 400, "body": json.dumps({"value": SECRET})},
    {"status": 302, "body": json.dumps({"value": SECRET}), "headers": {"Location": "https://127.0.0.1:1/"}},
    {"html": f"<html>{CORE}</html>"},
]


class Play:
    """The tasks, and what has to come of each: the reason of a failure, or whether something changes.

    expected: of tasks with a module of ours; looked_up: of tasks of which only the lookup is ours.
    Keys that are tasks' own are given with two underscores, as in __no_log.
    """

    def __init__(self, imds: Running, directory: Path) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.expected: dict[str, Any] = {}
        self.looked_up: dict[str, Any] = {}
        self._secrets = directory / "secrets"
        self._directory = directory
        self._endpoint = {"endpoint": imds.url, "detect": "force", "timeout": 20}
        self._vault = f"https://localhost:{imds.vault_address[1]}"
        shown = imds.control("GET", "/identities/web1")[1]["identities"]
        self._ids = {each["name"]: each["client_id"] for each in shown}

    def dest(self, name: str) -> str:
        return str(self._secrets / name)

    def token(self, task: str, expected: Any, identity: str | None = "id-web", **options: Any) -> None:
        chosen = {"client_id": self._ids.get(identity, identity)} if identity else {}
        given = {"resource": "https://vault.azure.net", "dest": self.dest("token"), **chosen, **options}
        self._add(task, "azure_imds_token", expected, given)

    def look_up(self, task: str, expected: Any, identity: str | None = "id-web", **keywords: Any) -> None:
        """A task that returns the variable looked_up, a token.

        The token is no argument of the task: with no_log too, Ansible hands arguments to callbacks.
        """
        chosen = {"client_id": self._ids.get(identity, identity)} if identity else {}
        options = {**self._endpoint, **chosen, **keywords.pop("options", {})}
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        expression = f"lookup('imds.azure.token', 'https://vault.azure.net', {given})"
        action = keywords.pop("action", {"ansible.builtin.debug": {"var": "looked_up"}})
        variables = {"looked_up": "{{ " + expression + " }}"}
        self.tasks.append({"name": task, **action, "vars": variables, "ignore_errors": True, **keywords})
        self.looked_up[task] = expected

    def secret(self, task: str, expected: Any, identity: str = "id-web", **options: Any) -> None:
        given = {
            "vault": self._vault,
            "resource": "https://vault.azure.net",
            "ca_path": str(self._directory / "root.pem"),
            "name": "db-password",
            "client_id": self._ids[identity],
            "dest": self.dest("secret"),
        }
        self._add(task, "azure_imds_keyvault_secret", expected, {**given, **options})

    def _add(self, task: str, module: str, expected: Any, options: Mapping[str, Any]) -> None:
        given = {key: value for key, value in {**self._endpoint, **options}.items() if value is not None}
        keywords = {key[2:]: given.pop(key) for key in list(given) if key.startswith("__")}
        self.tasks.append({"name": task, f"imds.azure.{module}": given, "ignore_errors": True, **keywords})
        self.expected[task] = expected


def faulty_tokens(play: Play) -> None:
    """One task for each of TOKEN_FAULTS; the file that is given must not appear."""
    reasons = ["malformed", "server_error", "identity_refused", "intercepted", "intercepted", "forbidden", "throttled"]
    for number, reason in enumerate([*reasons, "refused"]):
        # Those that would be asked for several times more get no time for it.
        time = {"server_error": 2, "refused": 1}.get(reason, 20)
        play.token(f"Token fault {number}", reason, dest=play.dest("never"), return_token=True, timeout=time)


def faulty_lookups(play: Play) -> None:
    """One task for each of LOOKUP_FAULTS."""
    for number, reason in enumerate(("malformed", "identity_refused", "intercepted")):
        play.look_up(f"Lookup fault {number}", reason)


def lookups(play: Play) -> None:
    test = {"ansible.builtin.assert": {"that": ["looked_up.split('.') | length == 3"]}}
    play.look_up("Look up a token and judge it", False, action=test)
    play.look_up("Look up a token for a careful user", "censored", no_log=True)
    play.look_up("Look up for an unknown identity", "identity_unknown", "00000000-0000-0000-0000-000000000000")
    play.look_up("Look up for one of several identities", "identity_ambiguous", None)
    play.look_up("Look up for a disabled identity", "identity_refused", "id-disabled")
    play.look_up("Look up elsewhere", "not_azure", options={"detect": "auto", "chassis_asset_tag": "x", "arc": "never"})
    fails = {"ansible.builtin.fail": {"msg": "{{ looked_up | length }} characters"}}
    play.look_up("Fail after looking up a token", "msg", action=fails)


def tokens(play: Play) -> None:
    for form in ("token", "json", "header"):
        play.token(f"Write a {form}", True, content=form, dest=play.dest(form))
    play.token("Keep the token", False, content="token", dest=play.dest("token"), __diff=True)
    play.token("Replace the token", True, content="token", dest=play.dest("token"), bypass_cache=True, __diff=True)
    play.token("Only look", True, dest=play.dest("never"), __check_mode=True, __diff=True)
    play.token("Write in the background", True, dest=play.dest("async"), __async=30, __poll=0)
    play.token("Tell the claims", False, dest=None, return_claims=True)
    hidden: dict[str, Any] = {"__no_log": True, "__register": "hidden"}
    play.token("Return a token to a careful user", "censored", dest=None, return_token=True, **hidden)
    play.token(
        "Fail for a careful user", "censored", "00000000-0000-0000-0000-000000000000", return_token=True, **hidden
    )
    play.token("Show a token on request", False, "id-shown", dest=None, return_token=True)


def token_failures(play: Play) -> None:
    never: dict[str, Any] = {"dest": play.dest("never"), "return_token": True}
    play.token("Unknown identity", "identity_unknown", "00000000-0000-0000-0000-000000000000", **never)
    play.token("Several identities", "identity_ambiguous", None, **never)
    play.token("Disabled identity", "identity_refused", "id-disabled", **never)
    play.token("Unknown resource", "resource_unknown", resource="urn:nothing", **never)
    play.token("Two selectors", "msg: object_id", object_id="00000000-0000-0000-0000-000000000000", **never)
    play.token("No URI", "msg: resource", resource="vault.azure.net", **never)
    play.token("No directory", "msg: dest", dest=play.dest("none/token"), return_token=True)
    play.token("Open directory", "msg: dest", dest=str(play._directory / "open" / "token"), return_token=True)
    play.token("Full file system", "msg: dest", dest=str(play._directory / "full" / "token"), return_token=True)
    play.token("Token crash", "crash", __environment={"LEAKS_CRASH": "1"}, bypass_cache=True, **never)


def secrets(play: Play) -> None:
    reasons = ["vault_unreachable", "vault_forbidden", "vault_intercepted", "vault_intercepted", "vault_intercepted"]
    for number, reason in enumerate(reasons):
        # A vault that was not reached would be asked again; it gets no time for that.
        time = 1 if reason == "vault_unreachable" else 20
        play.secret(f"Vault fault {number}", reason, dest=play.dest("never"), return_secret=True, timeout=time)
    play.secret("Write a secret", True)
    play.secret("Keep the secret", False, __diff=True)
    play.secret("Only look for a secret", True, dest=play.dest("never"), __check_mode=True)
    hidden: dict[str, Any] = {"__no_log": True, "__register": "secret"}
    play.secret("Return a secret to a careful user", "censored", dest=None, return_secret=True, **hidden)
    never: dict[str, Any] = {"dest": play.dest("never"), "return_secret": True}
    play.secret("No role", "vault_forbidden", "id-other", **never)
    play.secret("No such secret", "secret_not_found", **{**never, "name": "nothing"})
    play.secret("Disabled secret", "secret_disabled", **{**never, "name": "off"})
    play.secret("Wrong audience", "vault_unauthorized", resource="https://management.azure.com/", **never)
    play.secret("Untrusted vault", "vault_untrusted", **{**never, "ca_path": None})
    play.secret("No base64", "msg: encoding", encoding="base64", **never)
    play.secret(
        "Secret on a full file system", "msg: dest", dest=str(play._directory / "full" / "s"), return_secret=True
    )
    play.secret("Secret crash", "crash", __environment={"LEAKS_CRASH": "1"}, **never)


# In this order: each fault is met by the first task that asks for its path.
PARTS = (faulty_tokens, faulty_lookups, tokens, token_failures, lookups, secrets)


def set_faults(imds: Running) -> None:
    """Each is met once, if it does not say otherwise."""
    for path, faults in (("/metadata/identity", [*TOKEN_FAULTS, *LOOKUP_FAULTS]), ("/secrets", VAULT_FAULTS)):
        assert imds.control("POST", "/faults", [{"path": path, "count": 1, **fault} for fault in faults])[0] == 200
