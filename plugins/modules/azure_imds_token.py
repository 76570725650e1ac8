#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_token
version_added: 0.3.0
short_description: Get an access token of the host's managed identity
description:
  - B(A token that is returned is visible.) With O(return_token=true), it is in the output of Ansible, in its logs and in what is
    registered, unless the task sets C(no_log=true). Set that on later tasks too which are given the token. Without
    O(return_token), the token does not leave the host.
  - Gets an access token for an Azure service from the Azure Instance Metadata Service (IMDS) of the host. The token belongs to the
    managed identity that is assigned to the VM, so no password, key or SDK is needed on the host or on the controller.
  - Writes the token to a file on the host that only its owner can read, and leaves the file alone while its token is good.
  - Without O(dest) and O(return_token), it only tells whether the host gets a token, for which identity, and until when.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._identity
  - imds.azure._imds.endpoint
attributes:
  check_mode:
    support: full
    details:
      - IMDS is asked, but no file is written.
  diff_mode:
    support: full
    details:
      - Shows what the token is for, whose it is and when it expires, never the token.
options:
  resource:
    description:
      - What the token is for, the App ID URI of a service such as V(https://vault.azure.net). The token's audience is exactly this, so a
        slash at the end matters to some services. A scope that ends with C(/.default) is accepted too.
      - Or the name of a service, whose URI is looked up for the VM's cloud. The names are V(arm), V(batch), V(eventhubs), V(graph),
        V(log_analytics), V(managed_hsm), V(ossrdbms), V(servicebus), V(sql), V(storage), V(synapse) and V(vault). This takes one
        more request.
      - Or the ID of an application.
    type: str
    required: true
    aliases: [audience]
  content:
    description:
      - What O(dest) contains.
      - V(token) is the token alone, without a newline. V(json) is an object with C(access_token), C(expires_on), C(resource) and so on,
        as IMDS sends it. V(header) is a header line with C(Authorization), as C(curl -H @FILE) takes it.
    type: str
    choices: [token, json, header]
    default: token
  minimum_validity:
    description:
      - O(dest) is left alone as long as its token is valid for that many more seconds, and is for the same O(resource) and the same
        identity. If IMDS has only an older token at hand, a fresh one is asked for.
      - V(auto) means half of the token's lifetime, or 5 minutes if it lives for less than 2 hours.
      - With O(bypass_cache=true), the file is written anew each time.
    type: str
    default: auto
  return_token:
    description:
      - Return the token. Set C(no_log=true) on the task.
      - Do not combine this with C(async), which stores results in a file on the host.
    type: bool
    default: false
  return_claims:
    description:
      - Return what the token says about itself. These are IDs and times, not a secret. The signature is not among them.
    type: bool
    default: false
seealso:
  - module: imds.azure.azure_imds_keyvault_secret
  - module: imds.azure.azure_imds_facts
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Keep a token for Azure Resource Manager in a file of the backup user
  imds.azure.azure_imds_token:
    resource: arm
    dest: /var/lib/backup/arm.token
    owner: backup
  become: true

- name: Keep a token that is valid for two more hours, of a certain identity
  imds.azure.azure_imds_token:
    resource: https://storage.azure.com/
    client_id: 11111111-2222-3333-4444-555555555555
    dest: /etc/upload/storage.header
    content: header
    minimum_validity: 7200
  become: true

- name: Find out whether the identity has arrived at the VM
  imds.azure.azure_imds_token:
    resource: vault
    identity_wait: 60
  register: identity

- name: Show whose token it would be
  ansible.builtin.debug:
    msg: "{{ identity.identity }} until {{ identity.expires_at }}"

- name: Get a token for a request that the host makes itself
  imds.azure.azure_imds_token:
    resource: arm
    return_token: true
  register: arm
  no_log: true

- name: List the resource groups
  ansible.builtin.uri:
    url: https://management.azure.com/subscriptions/{{ subscription }}/resourcegroups?api-version=2021-04-01
    headers:
      Authorization: "Bearer {{ arm.token }}"
  no_log: true
"""

RETURN = r"""
reason:
  description: How asking ended, V(ok) or another of the R(reason codes,ansible_collections.imds.azure.docsite.reasons).
  returned: success, or failure because there is no token
  type: str
  sample: ok
remedy:
  description: What to do about it, V(null) if nothing is wrong.
  returned: success, or failure because there is no token
  type: str
resource:
  description: What the token is for; its audience.
  returned: success
  type: str
  sample: https://management.azure.com/
expires_at:
  description: When the token expires, in ISO 8601, UTC.
  returned: success
  type: str
  sample: "2026-11-27T18:04:11Z"
expires_in:
  description: The seconds that it has left.
  returned: success
  type: int
  sample: 85120
token_type:
  description: Always V(Bearer).
  returned: success
  type: str
  sample: Bearer
client_id:
  description: Client ID of the identity, V(null) if the answer does not tell it.
  returned: success
  type: str
  sample: 11111111-2222-3333-4444-555555555555
object_id:
  description: Object ID of the identity, as the token says. Neither this nor the next two were verified.
  returned: success
  type: str
  sample: 66666666-7777-8888-9999-000000000000
tenant_id:
  description: ID of the identity's tenant, as the token says.
  returned: success
  type: str
  sample: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
identity:
  description:
    - Resource ID of the identity, as the token says. For a system-assigned identity it is that of the VM.
  returned: success
  type: str
  sample: /subscriptions/8d10da13-8125-4ba9-a717-bf7490507b3d/resourcegroups/web/providers/Microsoft.Compute/virtualMachines/web-1
claims:
  description: What the token says about itself, such as C(aud), C(iss) and C(exp). Not verified.
  returned: success and O(return_claims=true)
  type: dict
  sample: {"aud": "https://management.azure.com/", "exp": 1764266651, "tid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}
token:
  description: The token. Anybody who has it can act as the identity until it expires.
  returned: success and O(return_token=true)
  type: str
dest:
  description: The file with the token.
  returned: success and O(dest) is given
  type: str
  sample: /var/lib/backup/arm.token
notes:
  description: What else there is to know, such as that no token lives as long as O(minimum_validity).
  returned: success
  type: list
  elements: str
  sample: []
attempts:
  description:
    - The attempts, each with C(path), C(api_version), C(outcome), C(status), C(detail) and C(wait), the seconds waited after it. Empty
      if the file's token was good, or nobody was asked.
  returned: success, or failure because there is no token
  type: list
  elements: dict
  sample: [{"api_version": "2018-02-01", "detail": "HTTP 200", "outcome": "ok", "path": "identity/oauth2/token", "status": 200, "wait": null}]
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

import contextlib
import time
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils import _token_module
from ansible_collections.imds.azure.plugins.module_utils._identity import options, tokens
from ansible_collections.imds.azure.plugins.module_utils._identity.fetch import TokenClient
from ansible_collections.imds.azure.plugins.module_utils._identity.obtain import Wanted, minimum_validity, obtain
from ansible_collections.imds.azure.plugins.module_utils._identity.private_file import PrivateFile, access
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._module import keep_loaded


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **_token_module.argument_spec(),
            "resource": {"type": "str", "required": True, "aliases": ["audience"]},
            "content": {"type": "str", "choices": list(tokens.FORMS), "default": "token"},
            "minimum_validity": {"type": "str", "default": "auto"},
            "return_token": {"type": "bool", "default": False, "no_log": False},
            "return_claims": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    asked = _token_module.Asked()
    try:
        result = run(module, asked)
    except OptionError as error:
        module.fail_json(msg=str(error))
    except ImdsError as error:
        message = f"No token for {module.params['resource']}: {error.message}"
        module.fail_json(**asked.failure(message, error.reason.code, error.reason.remedy))
    module.exit_json(**result)


def run(module: AnsibleModule, asked: _token_module.Asked) -> dict[str, Any]:
    params = module.params
    hidden = _token_module.Hidden(module)
    chosen = options.settings(params)
    request = options.request(params)
    minimum = minimum_validity(params["minimum_validity"])
    allowed = access(params)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(PrivateFile(params["dest"], allowed)) if params["dest"] else None
        client = TokenClient(request, chosen)
        asked.follow(client.attempts)
        wanted = Wanted(request, client.resource(), minimum)
        obtained = obtain(client, wanted, stored_in(file, params["content"]), hidden.add)
        token = obtained.token
        changed = file.store(tokens.render(token, params["content"]), module.check_mode) if file else False
    for warning in client.long_waits():
        module.warn(warning)
    result = {"changed": changed, "notes": obtained.notes, "attempts": client.attempts, **describe(token)}
    if params["return_claims"]:
        result["claims"] = token.claims
    if file:
        result["dest"] = file.path
        if module._diff:
            result["diff"] = {"before": summary(obtained.stored), "after": summary(token)}
    if params["return_token"]:
        hidden.reveal(token.value)
        result["token"] = token.value
    return result


def stored_in(file: Optional[PrivateFile], form: str) -> Optional[tokens.Token]:
    """The token in the file, if there is one."""
    found = file.read() if file else None
    return tokens.parse(found.content, form) if found and found.content is not None else None


def describe(token: tokens.Token) -> dict[str, Any]:
    """What the result says about the token."""
    return {
        "reason": "ok",
        "remedy": None,
        "resource": token.resource,
        "expires_at": token.expires_at,
        "expires_in": token.lives(time.time()),
        "token_type": token.token_type,
        "client_id": token.client_id,
        "object_id": token.object_id,
        "tenant_id": token.tenant_id,
        "identity": token.identity,
    }


def summary(token: Optional[tokens.Token]) -> str:
    """A token for a diff, without the token."""
    if token is None:
        return ""
    return f"resource: {token.resource}\nidentity: {token.identity or token.client_id}\nexpires: {token.expires_at}\n"


if __name__ == "__main__":
    keep_loaded()
    main()
