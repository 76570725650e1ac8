# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup token."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token
version_added: 0.3.0
short_description: Get an access token of the controller's managed identity
description:
  - B(The token is visible.) It is in the output of Ansible and in its logs wherever a task shows it, unless the task sets
    C(no_log=true). Do not store it with C(set_fact), and do not put it into variables of the inventory.
  - Callback plugins that record the arguments of tasks see what a task is given, with C(no_log=true) too. The callbacks of
    ansible-core do not.
  - Gets an access token for an Azure service from the Azure Instance Metadata Service (IMDS). The token belongs to the managed
    identity of the machine on which Ansible runs, which has to be an Azure VM or connected through Azure Arc. For the identity of
    a managed host, use the module M(imds.azure.azure_imds_token).
  - The request never goes through a proxy. A controller that is neither an Azure VM nor connected through Azure Arc is told from
    its firmware, so the lookup fails there at once, with the reason.
  - Tokens are kept in memory until 5 minutes before they expire, and never on disk. Ansible runs each task for each host in a process
    of its own, so what is kept serves the loops and templates of one task. IMDS itself keeps tokens, too.
options:
  _terms:
    description:
      - What the token is for, the App ID URI of a service such as V(https://vault.azure.net). The token's audience is exactly this, so a
        slash at the end matters to some services. A scope that ends with C(/.default) is accepted too.
      - Or the name of a service, whose URI is looked up for the machine's cloud. The names are V(arm), V(batch), V(eventhubs), V(graph),
        V(log_analytics), V(managed_hsm), V(ossrdbms), V(servicebus), V(sql), V(storage), V(synapse) and V(vault). This takes one
        more request.
      - Or the ID of an application.
    type: list
    elements: str
    required: true
  client_id:
    description:
      - Client ID of the identity to use.
      - Name an identity with this, O(object_id) or O(msi_res_id), or with none of them. Without one, the system-assigned identity
        is used, or the only user-assigned identity.
    type: str
  object_id:
    description: Object ID (principal ID) of the identity to use, instead of O(client_id).
    type: str
  msi_res_id:
    description: Resource ID of the user-assigned identity to use, instead of O(client_id).
    type: str
  bypass_cache:
    description:
      - Ask for a fresh token, as after a change of the identity's roles or groups. Neither IMDS nor this lookup then returns a token that
        it has kept.
    type: bool
    default: false
  identity_wait:
    description:
      - Seconds to keep asking while IMDS does not know the identity. Has to be less than O(timeout).
    type: float
    default: 0
  arc:
    description:
      - V(auto) asks the Azure Connected Machine agent on a machine that is not an Azure VM, if the agent is there. That takes root, or
        a member of the group C(himds).
      - V(never) asks IMDS only, V(always) asks the agent only.
    type: str
    choices: [auto, never, always]
    default: auto
  api_version:
    description:
      - The API version to ask for a token with. By default C(2018-02-01), which is the one that all clients of Microsoft use.
    type: str
  detect:
    description:
      - V(auto) sends nothing to IMDS unless the firmware's chassis asset tag says that this is an Azure VM.
      - V(force) skips that check. The emulator and Azure Stack need it.
    type: str
    choices: [auto, force]
    default: auto
  chassis_asset_tag:
    description:
      - The chassis asset tag, if it is already known. By default the lookup reads the tag itself.
    type: str
  endpoint:
    description:
      - Where IMDS listens, C(http://ADDRESS) or C(http://ADDRESS:PORT). Host names are not resolved.
      - Addresses other than the default and loopback need O(detect=force).
    type: str
    default: http://169.254.169.254
  connect_timeout:
    description: Seconds to wait for the TCP connection. Where nobody answers, the lookup fails then and does not try again.
    type: float
    default: 1
  read_timeout:
    description: Seconds to wait for the complete answer once connected.
    type: float
    default: 10
  timeout:
    description:
      - Seconds for the whole operation, including the waits where IMDS throttles or fails. The default outlasts an update of IMDS, which
        takes up to 70 seconds.
    type: float
    default: 90
seealso:
  - module: imds.azure.azure_imds_token
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: List the resource groups with the identity of the controller
  ansible.builtin.uri:
    url: https://management.azure.com/subscriptions/{{ subscription }}/resourcegroups?api-version=2021-04-01
    headers:
      Authorization: "Bearer {{ lookup('imds.azure.token', 'arm') }}"
  delegate_to: localhost
  no_log: true

- name: Read a secret with one of several identities
  ansible.builtin.uri:
    url: https://example.vault.azure.net/secrets/database?api-version=7.4
    headers:
      Authorization: "Bearer {{ lookup('imds.azure.token', 'vault', client_id='11111111-2222-3333-4444-555555555555') }}"
  delegate_to: localhost
  register: secret
  no_log: true
"""

RETURN = r"""
_raw:
  description: The tokens, one for each term. Anybody who has one can act as the identity until it expires.
  type: list
  elements: str
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.imds.azure.plugins.module_utils._identity import options
from ansible_collections.imds.azure.plugins.module_utils._identity.fetch import TokenClient
from ansible_collections.imds.azure.plugins.module_utils._identity.impatient import ImpatientClient
from ansible_collections.imds.azure.plugins.module_utils._identity.tokens import Token
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError

DROPPED = 300  # seconds before it expires
Key = tuple[Any, ...]


class Kept:
    """The tokens of this process."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[Key, Token] = {}

    def token(self, request: options.Request, settings: Settings) -> Token:
        """The token that is kept, else a new one.

        :raises ImdsError: with the reason if there is none
        :raises OptionError: the machine's cloud has no such resource, or an Arc machine was asked for an identity
        """
        key = _key(request, settings)
        with self._lock:  # who asks for the same meanwhile waits for this answer
            kept = self._tokens.get(key)
            if kept is None or request.bypass_cache or kept.lives(self._now()) <= DROPPED:
                client = TokenClient(request, settings, ImpatientClient, self._now)
                kept = self._tokens[key] = client.token(client.resource())
            return kept

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._tokens.clear()


KEPT = Kept()


class LookupModule(LookupBase):  # type: ignore[misc]
    def run(self, terms: Any, variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """The tokens for the terms.

        :raises AnsibleLookupError: there is none, or an option can't be used
        """
        self.set_options(var_options=variables, direct=kwargs)
        given = self.get_options()
        if not terms:
            raise AnsibleLookupError("imds.azure.token: name what the token is for, such as 'arm' or a URI")
        return [_value(term, {**given, "resource": term}) for term in terms]


def _value(term: Any, params: Mapping[str, Any]) -> str:
    if not isinstance(term, str):
        kind = type(term).__name__
        raise AnsibleLookupError(f"imds.azure.token: the resource is text such as 'arm' or a URI, not {kind}")
    try:
        chosen = options.settings(params)
        return KEPT.token(options.request(params, patient=False), chosen).value
    except OptionError as error:
        raise AnsibleLookupError(f"imds.azure.token: {error}") from error
    except ImdsError as error:
        reason = error.reason
        raise AnsibleLookupError(
            f"imds.azure.token: no token for {term}: {error.message} {reason.remedy} (reason: {reason.code})"
        ) from error


def _key(request: options.Request, settings: Settings) -> Key:
    selector = request.selector
    named = (selector.kind, selector.value.lower()) if selector else ()
    return (settings.address, request.arc, settings.detect, request.resource, *named)
