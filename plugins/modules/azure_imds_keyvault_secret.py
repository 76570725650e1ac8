#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_keyvault_secret
version_added: 0.3.0
short_description: Read a secret from Azure Key Vault with the host's managed identity
description:
  - B(A secret that is returned is visible.) With O(return_secret=true), it is in the output of Ansible, in its logs and in what is
    registered, unless the task sets C(no_log=true). Set that on later tasks too which are given the secret. Without
    O(return_secret), the secret does not leave the host.
  - The host reads the secret itself. It gets a token for its managed identity from the Azure Instance Metadata Service (IMDS), and
    asks the vault with it. No password, key or SDK is needed on the host or on the controller.
  - Writes the secret to a file on the host that only its owner can read.
  - The identity needs the role C(Key Vault Secrets User) on the vault or on the secret, or an access policy with the secret
    permission C(Get).
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
      - IMDS and the vault are asked, but no file is written.
  diff_mode:
    support: none
    details:
      - A difference would show the secret.
options:
  vault:
    description:
      - URL of the vault, such as V(https://my-vault.vault.azure.net), or its name. The domain that belongs to a name is looked up for the
        VM's cloud, which takes one more request to IMDS.
      - TLS is always verified. The host's proxy settings (C(https_proxy), C(no_proxy)) apply to the vault.
    type: str
    required: true
  name:
    description:
      - Name of the secret.
    type: str
    required: true
  version:
    description:
      - Version of the secret. By default the current one.
    type: str
  resource:
    description:
      - What the token for the vault is for. By default it follows from the vault's domain.
      - It has to be given for a vault outside of the domains of Azure Key Vault, because the token goes there.
    type: str
  ca_path:
    description:
      - File on the host with CA certificates in PEM format to trust besides those of the system.
    type: path
  encoding:
    description:
      - V(base64) decodes the secret before it is written to O(dest). Certificates with their keys (PFX) are stored that way.
    type: str
    choices: [utf-8, base64]
    default: utf-8
  return_secret:
    description:
      - Return the secret. Set C(no_log=true) on the task.
      - Do not combine this with C(async), which stores results in a file on the host.
      - This or O(dest) has to be given.
    type: bool
    default: false
notes:
  - Neither the token nor the secret is kept anywhere but in O(dest). The secret is read each time.
seealso:
  - module: imds.azure.azure_imds_token
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Keep the password of the database in a file of the application
  imds.azure.azure_imds_keyvault_secret:
    vault: https://my-vault.vault.azure.net
    name: db-password
    dest: /etc/app/db-password
    owner: app
  become: true

- name: Keep a certificate with its key, read with a certain identity
  imds.azure.azure_imds_keyvault_secret:
    vault: my-vault
    name: web-certificate
    client_id: 11111111-2222-3333-4444-555555555555
    encoding: base64
    dest: /etc/web/certificate.pfx
  become: true

- name: Read a secret for another task
  imds.azure.azure_imds_keyvault_secret:
    vault: my-vault
    name: api-key
    return_secret: true
  register: api_key
  no_log: true

- name: Use it
  ansible.builtin.uri:
    url: https://api.example.com/
    headers:
      X-Api-Key: "{{ api_key.secret }}"
  no_log: true
"""

RETURN = r"""
reason:
  description:
    - How asking ended, V(ok) or one of the R(reason codes of the vault,ansible_collections.imds.azure.docsite.identity.vault_reasons)
      or the R(reason codes of IMDS,ansible_collections.imds.azure.docsite.reasons).
  returned: success, or failure because there is no secret
  type: str
  sample: ok
remedy:
  description: What to do about it, V(null) if nothing is wrong.
  returned: success, or failure because there is no secret
  type: str
vault:
  description: URL of the vault.
  returned: success
  type: str
  sample: https://my-vault.vault.azure.net
name:
  description: Name of the secret.
  returned: success
  type: str
  sample: db-password
version:
  description: The version that was read.
  returned: success
  type: str
  sample: 4387e9f3d6e14c459867679a90fd0f79
content_type:
  description: What whoever stored the secret says about its kind, V(null) if nothing.
  returned: success
  type: str
  sample: application/x-pkcs12
created_at:
  description: When this version was created, in ISO 8601, UTC.
  returned: success
  type: str
  sample: "2026-03-01T12:00:00Z"
updated_at:
  description: When this version was changed last.
  returned: success
  type: str
  sample: "2026-03-01T12:00:00Z"
expires_at:
  description: When the secret expires, V(null) if never. A vault hands out expired secrets too.
  returned: success
  type: str
client_id:
  description: Client ID of the identity that read it.
  returned: success
  type: str
  sample: 11111111-2222-3333-4444-555555555555
identity:
  description: Resource ID of the identity, as the token says. For a system-assigned identity it is that of the VM.
  returned: success
  type: str
secret:
  description: The secret.
  returned: success and O(return_secret=true)
  type: str
dest:
  description: The file with the secret.
  returned: success and O(dest) is given
  type: str
  sample: /etc/app/db-password
notes:
  description: What else there is to know, such as that the secret has expired.
  returned: success
  type: list
  elements: str
  sample: []
attempts:
  description:
    - The attempts at IMDS, then at the vault, each with C(path), C(api_version), C(outcome), C(status), C(detail) and C(wait), the
      seconds waited after it.
  returned: success, or failure because there is no secret
  type: list
  elements: dict
  sample: [{"api_version": "7.4", "detail": "HTTP 200", "outcome": "ok", "path": "secrets/db-password", "status": 200, "wait": null}]
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

import base64
import contextlib
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils import _token_module
from ansible_collections.imds.azure.plugins.module_utils._identity import https, options, vault
from ansible_collections.imds.azure.plugins.module_utils._identity.fetch import TokenClient
from ansible_collections.imds.azure.plugins.module_utils._identity.private_file import PrivateFile, access
from ansible_collections.imds.azure.plugins.module_utils._identity.vault_client import VaultClient
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._module import keep_loaded


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **_token_module.argument_spec(),
            "vault": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "version": {"type": "str"},
            "resource": {"type": "str"},
            "ca_path": {"type": "path"},
            "encoding": {"type": "str", "choices": ["utf-8", "base64"], "default": "utf-8"},
            "return_secret": {"type": "bool", "default": False, "no_log": False},
        },
        supports_check_mode=True,
    )
    asked = _token_module.Asked()
    try:
        result = run(module, asked)
    except OptionError as error:
        module.fail_json(msg=str(error))
    except (ImdsError, vault.VaultError) as error:
        message = f"No secret {module.params['name']}: {error.message}"
        module.fail_json(**asked.failure(message, error.reason.code, error.reason.remedy))
    module.exit_json(**result)


def run(module: AnsibleModule, asked: _token_module.Asked) -> dict[str, Any]:
    params = module.params
    hidden = _token_module.Hidden(module)
    if not params["dest"] and not params["return_secret"]:
        raise OptionError("dest", "neither dest nor return_secret is given, so the secret would go nowhere; give one")
    place = vault.location(params["vault"])
    path = vault.path(params["name"], params["version"])
    resource = params["resource"] or (vault.resource_of(place) if place else "vault")
    chosen = options.settings(params)
    request = options.request({**params, "resource": resource})
    allowed = access(params)
    trusted = https.trust(params["ca_path"])
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(PrivateFile(params["dest"], allowed)) if params["dest"] else None
        client = TokenClient(request, chosen)
        asked.follow(client.attempts)
        if not place:
            place = vault.named(params["vault"], client.cloud())
        token = client.token(client.resource() if params["resource"] else vault.resource_of(place))
        hidden.add(token.value)
        reader = VaultClient(place, trusted, lambda: client.remaining)
        asked.follow(reader.attempts)
        secret = reader.secret(path, token)
        hidden.add(secret.value)
        changed = file.store(decoded(secret.value, params["encoding"]), module.check_mode) if file else False
    for warning in client.long_waits():
        module.warn(warning)
    result = {
        "changed": changed,
        "reason": "ok",
        "remedy": None,
        "vault": place.url,
        "name": params["name"],
        "version": secret.version,
        "content_type": secret.content_type,
        "created_at": secret.date("created"),
        "updated_at": secret.date("updated"),
        "expires_at": secret.date("exp"),
        "client_id": token.client_id,
        "identity": token.identity,
        "notes": ["The secret has expired."] if secret.is_past(time.time()) else [],
        "attempts": asked.attempts,
    }
    if file:
        result["dest"] = file.path
    if params["return_secret"]:
        hidden.reveal(secret.value)
        result["secret"] = secret.value
    return result


def decoded(value: str, encoding: str) -> bytes:
    """The content of the file.

    :raises OptionError: the secret is not in that encoding
    """
    if encoding == "utf-8":
        return value.encode("utf-8")
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        raise OptionError("encoding", "the secret is not base64; use utf-8, which writes it as it is") from None


if __name__ == "__main__":
    keep_loaded()
    main()
