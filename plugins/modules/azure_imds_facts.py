#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_imds_facts
version_added: 0.1.0
short_description: Facts about an Azure VM from its Instance Metadata Service
description:
  - Asks the Azure Instance Metadata Service (IMDS) of the host once, and returns what it tells as C(ansible_facts.azure_imds),
    with real booleans and numbers, V(null) for what is empty, and names in snake_case.
  - On a host that is no Azure VM nothing is sent, and C(ansible_facts.azure_imds.available) is V(false).
  - Every fact is there on every host, so that conditions never meet an undefined variable.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.read_only
  - imds.azure._attributes.facts
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._imds
  - imds.azure._imds.facts
options:
  required:
    description:
      - Fail where no facts can be had, instead of saying so in RV(ansible_facts.azure_imds.reason).
      - Under C(gather_facts) a failure takes the host out of the play.
    type: bool
    default: false
seealso:
  - module: imds.azure.azure_imds_info
  - name: Azure Instance Metadata Service
    description: The service's documentation.
    link: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
author:
  - imds.azure contributors (@imds)
"""

EXAMPLES = r"""
- name: Gather the facts of an Azure VM
  imds.azure.azure_imds_facts:

- name: Install the agent on Azure only
  ansible.builtin.package:
    name: my-agent
    state: present
  when: ansible_facts.azure_imds.available

- name: Start the service in one zone, on the VMs that carry the tag
  ansible.builtin.service:
    name: my-service
    state: started
  when:
    - ansible_facts.azure_imds.zone == "1"
    - ansible_facts.azure_imds.tags.role | default("") == "web"

- name: Stop unless the metadata can be read
  imds.azure.azure_imds_facts:
    required: true
    timeout: 300

# As variables of a play, the same does it for the play's own gather_facts.
- name: Gather them together with everything else
  ansible.builtin.gather_facts:
  vars:
    ansible_facts_modules:
      - ansible.builtin.setup
      - imds.azure.azure_imds_facts
    ansible_facts_parallel: false

- name: Show where this host runs
  ansible.builtin.debug:
    msg: "{{ ansible_facts.azure_imds.location }} / {{ ansible_facts.azure_imds.vm_size }}"

- name: Ask an emulator
  imds.azure.azure_imds_facts:
    endpoint: http://127.0.0.1:8169
    detect: force
"""

RETURN = r"""
ansible_facts:
  description:
    - The facts. The R(facts reference,ansible_collections.imds.azure.docsite.facts) names the source field of each
      and the API version that introduced it.
  returned: always
  type: dict
  contains:
    azure_imds:
      description: All there is, under one name.
      returned: always
      type: dict
      contains:
        available:
          description: Whether IMDS answered.
          returned: always
          type: bool
          sample: true
        reason:
          description: How it ended; V(ok), or another of the R(reason codes,ansible_collections.imds.azure.docsite.reasons),
            such as V(not_azure) or V(throttled).
          returned: always
          type: str
          sample: ok
        remedy:
          description: What to do about it; V(null) where nothing is wrong.
          returned: always
          type: str
        api_version:
          description: The API version that the facts come from.
          returned: always
          type: str
          sample: "2025-04-07"
        name:
          description: Name of the VM.
          returned: always
          type: str
          sample: web-1
        vm_id:
          description: Unique ID of the VM.
          returned: always
          type: str
          sample: 8e0d3a54-6a3c-4b0e-9a43-5f6f3c1f0e77
        resource_id:
          description: Resource ID of the VM. The filter P(imds.azure.parse_resource_id#filter) takes it apart.
          returned: always
          type: str
          sample: /subscriptions/7f0c5c1e-0b6e-4c8e-8a2e-1b1f0e6d2c11/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/web-1
        resource_group_name:
          description: Resource group of the VM.
          returned: always
          type: str
          sample: web
        subscription_id:
          description: Subscription of the VM.
          returned: always
          type: str
          sample: 7f0c5c1e-0b6e-4c8e-8a2e-1b1f0e6d2c11
        location:
          description: Azure region, in lower case and without blanks.
          returned: always
          type: str
          sample: westeurope
        zone:
          description: Availability zone; V(null) outside of zones.
          returned: always
          type: str
          sample: "1"
        physical_zone:
          description: Physical zone behind the availability zone.
          returned: always
          type: str
          sample: westeurope-az2
        environment:
          description: Azure cloud that the VM runs in.
          returned: always
          type: str
          sample: AzurePublicCloud
        endpoints:
          description: Where that cloud's services are.
          returned: always
          type: dict
          contains:
            resource_manager:
              description: URL of Azure Resource Manager.
              returned: always
              type: str
              sample: https://management.azure.com
            active_directory:
              description: URL where tokens are issued.
              returned: always
              type: str
              sample: https://login.microsoftonline.com
            key_vault_suffix:
              description: Domain of the key vaults.
              returned: always
              type: str
              sample: vault.azure.net
            storage_suffix:
              description: Domain of the storage accounts.
              returned: always
              type: str
              sample: core.windows.net
        vm_size:
          description: Size of the VM.
          returned: always
          type: str
          sample: Standard_D2s_v5
        os_type:
          description: Operating system, V(Linux) or V(Windows).
          returned: always
          type: str
          sample: Linux
        os_profile:
          description: What the VM was created with, C(admin_username), C(computer_name), C(disable_password_authentication) (a boolean).
          returned: always
          type: dict
          sample: {"admin_username": "azureuser", "computer_name": "web-1", "disable_password_authentication": true}
        priority:
          description: V(Regular), V(Spot) or V(Low).
          returned: always
          type: str
          sample: Regular
        eviction_policy:
          description: What becomes of a spot VM when it is evicted.
          returned: always
          type: str
          sample: Deallocate
        license_type:
          description: License of the Azure Hybrid Benefit.
          returned: always
          type: str
          sample: Windows_Server
        platform_fault_domain:
          description: Fault domain.
          returned: always
          type: int
          sample: 0
        platform_update_domain:
          description: Update domain.
          returned: always
          type: int
          sample: 3
        platform_sub_fault_domain:
          description: Sub fault domain.
          returned: always
          type: int
        placement_group_id:
          description: Placement group of the scale set.
          returned: always
          type: str
        scale_set:
          description: Name of the scale set, of either orchestration mode.
          returned: always
          type: str
          sample: workers
        scale_set_id:
          description: Resource ID of the scale set, told only for flexible orchestration.
          returned: always
          type: str
        provider:
          description: Resource provider of the VM.
          returned: always
          type: str
          sample: Microsoft.Compute
        image:
          description: Image that the VM was made from, C(publisher), C(offer), C(sku), C(version), C(id).
          returned: always
          type: dict
          sample: {"id": null, "offer": "debian-12", "publisher": "Debian", "sku": "12-gen2", "version": "0.20250703.2162"}
        plan:
          description: Marketplace plan, C(name), C(product), C(publisher).
          returned: always
          type: dict
          sample: {"name": null, "product": null, "publisher": null}
        security:
          description: Security profile, C(secure_boot), C(virtual_tpm), C(encryption_at_host) (booleans) and C(security_type).
          returned: always
          type: dict
          sample: {"encryption_at_host": true, "secure_boot": true, "security_type": "TrustedLaunch", "virtual_tpm": true}
        storage:
          description: Disks and image.
          returned: always
          type: dict
          contains:
            image_reference:
              description: The image reference as it stands in the VM's storage profile.
              returned: always
              type: dict
            os_disk:
              description: The operating system disk.
              returned: always
              type: dict
              sample: {"caching": "ReadWrite", "disk_size_gb": 30, "name": "web-1-os"}
            data_disks:
              description: The data disks, by LUN.
              returned: always
              type: list
              elements: dict
              sample: [{"disk_size_gb": 64, "lun": 0, "name": "web-1-data0"}]
            resource_disk:
              description: The local temporary disk; C(size) is in KB.
              returned: always
              type: dict
              sample: {"size": 16777216}
        network:
          description: Network interfaces.
          returned: always
          type: dict
          contains:
            primary:
              description:
                - The interface that IMDS answered on, which is the primary one because it answers no other. Where that can't
                  be told, the one of the default route, or the first.
              returned: always
              type: dict
            interfaces:
              description: All interfaces, in no particular order.
              returned: always
              type: list
              elements: dict
              contains:
                mac_address:
                  description: MAC address, in lower case with colons.
                  returned: always
                  type: str
                  sample: 00:0d:3a:1b:2c:3d
                private_ip_addresses:
                  description: Private IPv4 addresses, the primary one first.
                  returned: always
                  type: list
                  elements: str
                  sample: ["10.1.0.4"]
                public_ip_addresses:
                  description: Public IPv4 addresses.
                  returned: always
                  type: list
                  elements: str
                  sample: ["203.0.113.7"]
                ipv6_addresses:
                  description: IPv6 addresses.
                  returned: always
                  type: list
                  elements: str
                  sample: []
                subnets:
                  description: Subnets, each C(address) and C(prefix), a number.
                  returned: always
                  type: list
                  elements: dict
                  sample: [{"address": "10.1.0.0", "prefix": 24}]
                device:
                  description: The guest's interface with this MAC address; V(null) where there is none.
                  returned: always
                  type: str
                  sample: eth0
        private_ip:
          description: Primary private IPv4 address.
          returned: always
          type: str
          sample: 10.1.0.4
        public_ip:
          description: Public IPv4 address; with O(load_balancer) that of the load balancer where the VM has none of its own.
          returned: always
          type: str
          sample: 203.0.113.7
        public_ip_source:
          description: Where RV(ansible_facts.azure_imds.public_ip) was found, V(instance) or V(load_balancer).
          returned: always
          type: str
          sample: instance
        tags:
          description: Tags by name. Azure takes names without regard to case, dictionaries don't.
          returned: always
          type: dict
          sample: {"environment": "test", "role": "web"}
        tags_list:
          description: Tags as a list, in the order of IMDS.
          returned: always
          type: list
          elements: dict
          sample: [{"name": "environment", "value": "test"}, {"name": "role", "value": "web"}]
        public_keys:
          description: Public SSH keys, C(type), C(path), C(fingerprint), and C(key_data) with O(include_public_keys).
          returned: always
          type: list
          elements: dict
          sample:
            - fingerprint: SHA256:N2WfCjRZ2s4rVQ1c6m1V6bUwzFvVZxYzvE0b3mJk3v8
              key_data: null
              path: /home/azureuser/.ssh/authorized_keys
              type: ssh-rsa
        user_data:
          description: User data, C(present), C(length) in bytes, C(sha256), and C(base64) with O(include_user_data).
          returned: always
          type: dict
          sample: {"base64": null, "length": 24, "present": true, "sha256": "0e1e5d1c0e6f4d8b8ad4f4c4c2a0c1b1f1e7fd2ea2e8a4bfc51d7cd7d6f6bd10"}
        custom_data:
          description:
            - Custom data, C(present), C(length) in bytes, C(sha256), and C(base64) with O(include_user_data).
            - Today's IMDS leaves it empty.
          returned: always
          type: dict
        host:
          description: Dedicated host, C(id).
          returned: always
          type: dict
          sample: {"id": null}
        host_group:
          description: Dedicated host group, C(id).
          returned: always
          type: dict
          sample: {"id": null}
        extended_location:
          description: Edge zone or the like, C(name) and C(type).
          returned: always
          type: dict
          sample: {"name": null, "type": null}
        additional_capabilities:
          description: C(hibernation_enabled), a boolean.
          returned: always
          type: dict
          sample: {"hibernation_enabled": false}
        is_host_compatibility_layer_vm:
          description: Whether the VM runs on the host compatibility layer.
          returned: always
          type: bool
          sample: false
        is_vm_in_standby_pool:
          description: Whether the VM waits in a standby pool.
          returned: always
          type: bool
        meta:
          description: How the facts came about.
          returned: always
          type: dict
          contains:
            message:
              description: The reason in words, with what exactly was seen.
              returned: always
              type: str
              sample: IMDS answered.
            requests:
              description: Requests sent.
              returned: always
              type: int
              sample: 1
            elapsed:
              description: Seconds from the first step to the last.
              returned: always
              type: float
              sample: 0.004
            attempts:
              description: The attempts, each C(path), C(api_version), C(outcome), C(status), C(detail), and C(wait), the seconds waited after it.
              returned: always
              type: list
              elements: dict
              sample: [{"api_version": "2025-04-07", "detail": "HTTP 200", "outcome": "ok", "path": "instance", "status": 200, "wait": null}]
            detection:
              description: What the verdict on the platform rests on, C(azure), C(chassis_asset_tag), C(source), C(mode).
              returned: always
              type: dict
              sample: {"azure": true, "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77", "mode": "auto", "source": "/sys/class/dmi/id/chassis_asset_tag"}
            collected_at:
              description: When, in UTC.
              returned: always
              type: str
              sample: "2026-01-31T12:00:00Z"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils._imds.gather import gather
from ansible_collections.imds.azure.plugins.module_utils._imds.options import OptionError, settings
from ansible_collections.imds.azure.plugins.module_utils._module import argument_spec, facts_spec, keep_loaded


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **argument_spec(),
            **facts_spec(),
            "required": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        facts, warnings = gather(settings(module.params))
    except OptionError as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    if module.params["required"] and not facts["available"]:
        module.fail_json(
            msg=f"No facts from IMDS: {facts['meta']['message']} {facts['remedy']}",
            reason=facts["reason"],
            remedy=facts["remedy"],
            attempts=facts["meta"]["attempts"],
        )
    module.exit_json(ansible_facts={"azure_imds": facts})


if __name__ == "__main__":
    keep_loaded()
    main()
