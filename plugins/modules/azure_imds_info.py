#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_info
version_added: 0.1.0
short_description: Read instance metadata, versions, load balancer or attested document of an Azure VM as IMDS sends them
description:
  - Reads one path of the Azure Instance Metadata Service (IMDS) of the host and returns its content unchanged. That can be a whole
    document, a part of the instance document, or a single value.
  - Covers C(instance), C(versions), C(loadbalancer) and C(attested/document). Identity tokens and scheduled events can't be read;
    M(imds.azure.azure_imds_scheduled_events_info) reads the latter.
  - For facts that are typed, complete and redacted, use M(imds.azure.azure_imds_facts).
  - Nothing is redacted here. Documents with C(compute) contain user data, custom data and public SSH keys in clear text, and
    user data often holds passwords. Set C(no_log=true) on a task that reads them, because Ansible would otherwise show them in
    its output and in logs. A narrower O(path) avoids them.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.read_only
  - imds.azure._attributes.one_command
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._imds
  - imds.azure._imds.endpoint
options:
  path:
    description:
      - Path below C(/metadata). V(instance), V(versions), V(loadbalancer) or V(attested/document), or keys and indexes below
        V(instance), such as V(instance/network/interface/0).
      - The identity endpoints return secrets and can't be read.
    type: str
    default: instance
  required:
    description:
      - Fail if there is no content, instead of only giving the RV(reason).
    type: bool
    default: true
seealso:
  - module: imds.azure.azure_imds_facts
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Read the name of the VM
  imds.azure.azure_imds_info:
    path: instance/compute/name
  register: vm_name

- name: Give the host that name
  ansible.builtin.hostname:
    name: "{{ vm_name.content }}"

- name: Read the first network interface
  imds.azure.azure_imds_info:
    path: instance/network/interface/0
  register: interface

- name: List the API versions
  imds.azure.azure_imds_info:
    path: versions
  register: versions

- name: Read the load balancer's rules, if there is one
  imds.azure.azure_imds_info:
    path: loadbalancer
    required: false
  register: load_balancer

- name: Read user data, and keep it out of output and logs
  imds.azure.azure_imds_info:
    path: instance/compute/userData
  register: user_data
  no_log: true

- name: Compare with the facts
  ansible.builtin.assert:
    that: vm_name.content == ansible_facts.azure_imds.name
"""

RETURN = r"""
available:
  description: Whether there is content.
  returned: always
  type: bool
  sample: true
reason:
  description: How the request ended, V(ok) or another of the R(reason codes,ansible_collections.imds.azure.docsite.reasons).
  returned: always
  type: str
  sample: ok
remedy:
  description: What to do about it, V(null) if nothing is wrong.
  returned: always
  type: str
content:
  description:
    - What is at the path, a dictionary, a list, or a string for a single value. V(null) if there is nothing.
    - User data, custom data and public keys are in clear text.
  returned: always
  type: raw
  sample: web-1
path:
  description: The path that was read.
  returned: always
  type: str
  sample: instance/compute/name
api_version:
  description: The API version that was used, V(null) for V(versions), which has none.
  returned: always
  type: str
  sample: "2025-04-07"
attempts:
  description: The attempts, each with C(path), C(api_version), C(outcome), C(status), C(detail) and C(wait), the seconds waited after it.
  returned: always
  type: list
  elements: dict
  sample: [{"api_version": "2025-04-07", "detail": "HTTP 200", "outcome": "ok", "path": "instance", "status": 200, "wait": null}]
meta:
  description: About the task itself.
  returned: always
  type: dict
  contains:
    delivery:
      description: How the program that asked IMDS came to the host, as C(meta.delivery) of M(imds.azure.azure_imds_facts).
      returned: always
      type: str
      sample: one_command
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils._imds.run_info import run
from ansible_collections.imds.azure.plugins.module_utils._module import end, info_argument_spec, keep_loaded


def main() -> None:
    module = AnsibleModule(argument_spec=info_argument_spec(), supports_check_mode=True)
    end(module, run(module.params, "module"))


if __name__ == "__main__":
    keep_loaded()
    main()
