#!/usr/bin/python
# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: azure_imds_facts
version_added: 0.1.0
short_description: Facts about an Azure VM from its Instance Metadata Service
description:
  - Asks the Azure Instance Metadata Service (IMDS) of the host once and returns its answer as C(ansible_facts.azure_imds), with
    booleans and numbers instead of strings, V(null) for empty values, and names in snake_case.
  - On a host that is not an Azure VM, nothing is sent, and C(ansible_facts.azure_imds.available) is V(false).
  - Every fact is defined on every host, so conditions never meet an undefined variable.
extends_documentation_fragment:
  - imds.azure._attributes
  - imds.azure._attributes.platforms
  - imds.azure._attributes.read_only
  - imds.azure._attributes.one_command
  - imds.azure._attributes.facts
  - imds.azure._attributes.actiongroup_imds
  - imds.azure._imds
  - imds.azure._imds.endpoint
  - imds.azure._imds.facts
options:
  required:
    description:
      - Fail if there are no facts, instead of only giving the reason in RV(ansible_facts.azure_imds.reason).
      - With C(gather_facts), a failure removes the host from the play.
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
    - ansible_facts.azure_imds | imds.azure.tag("role") == "web"

- name: Stop unless the metadata can be read
  imds.azure.azure_imds_facts:
    required: true
    timeout: 300

# The same variables, set for a play, work for the play's own gather_facts.
- name: Gather them together with everything else
  ansible.builtin.gather_facts:
  vars:
    ansible_facts_modules:
      - ansible.builtin.setup
      - imds.azure.azure_imds_facts
    ansible_facts_parallel: false

- name: Stop unless the disk at LUN 0 is there, and certainly the one that IMDS lists
  ansible.builtin.assert:
    that: >-
      ansible_facts.azure_imds.storage.data_disks | selectattr('lun', 'eq', 0) | map(attribute='device') | select
      | selectattr('confidence', 'eq', 'exact') | list | length == 1

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
      description: All facts, under one name.
      returned: always
      type: dict
      contains:
        available:
          description: Whether IMDS answered.
          returned: always
          type: bool
          sample: true
        reason:
          description: How the request ended, V(ok) or another of the R(reason codes,ansible_collections.imds.azure.docsite.reasons),
            such as V(not_azure) or V(throttled).
          returned: always
          type: str
          sample: ok
        remedy:
          description: What to do about it, V(null) if nothing is wrong.
          returned: always
          type: str
        api_version:
          description: The API version that the facts come from.
          returned: always
          type: str
          sample: "2025-04-07"
        # <generated facts: make generate>
        name:
          description: Name of the VM.
          returned: always
          type: str
          sample: web-1
        vm_id:
          description: Unique ID of the VM.
          returned: always
          type: str
          sample: 55957a81-edbc-5a6c-a807-ecfba8227a47
        resource_id:
          description: Resource ID of the VM. The filter P(imds.azure.parse_resource_id#filter) splits it into its parts.
          returned: always
          type: str
          sample: /subscriptions/3f1c2a64-8d0b-4b57-9e21-6a7d50c4e8b3/resourceGroups/rg-web-prod/providers/Microsoft.Compute/virtualMachines/web-1
        resource_group_name:
          description: Resource group of the VM.
          returned: always
          type: str
          sample: rg-web-prod
        subscription_id:
          description: Subscription of the VM.
          returned: always
          type: str
          sample: 3f1c2a64-8d0b-4b57-9e21-6a7d50c4e8b3
        location:
          description: Azure region, in lower case without spaces.
          returned: always
          type: str
          sample: westeurope
        zone:
          description: Availability zone, V(null) if the VM is not in one.
          returned: always
          type: str
          sample: '2'
        physical_zone:
          description: Physical zone behind the availability zone.
          returned: always
          type: str
          sample: northeurope-az3
        environment:
          description: Azure cloud that the VM runs in.
          returned: always
          type: str
          sample: AzurePublicCloud
        endpoints:
          description: Addresses of that cloud's services.
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
          description: Settings with which the VM was created.
          returned: always
          type: dict
          contains:
            admin_username:
              description: Name of the administrator.
              returned: always
              type: str
              sample: azureuser
            computer_name:
              description: Name of the computer.
              returned: always
              type: str
              sample: web-1
            disable_password_authentication:
              description: Whether logging in with a password is disabled.
              returned: always
              type: bool
              sample: true
        priority:
          description: V(Regular), V(Spot) or V(Low).
          returned: always
          type: str
          sample: Spot
        eviction_policy:
          description: What happens to a Spot VM when it is evicted.
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
          sample: 0
        platform_sub_fault_domain:
          description: Sub fault domain.
          returned: always
          type: int
        placement_group_id:
          description: Placement group of the scale set.
          returned: always
          type: str
          sample: b7a35f0e-41d2-4c19-8f6e-2d90c3a7e514
        scale_set:
          description: Name of the scale set, in either orchestration mode.
          returned: always
          type: str
          sample: vmss-web
        scale_set_id:
          description: Resource ID of the scale set. IMDS reports it only for flexible orchestration.
          returned: always
          type: str
          sample: /subscriptions/3f1c2a64-8d0b-4b57-9e21-6a7d50c4e8b3/resourceGroups/rg-web-prod/providers/Microsoft.Compute/virtualMachineScaleSets/vmss-web
        provider:
          description: Resource provider of the VM.
          returned: always
          type: str
          sample: Microsoft.Compute
        image:
          description: Image that the VM was made from.
          returned: always
          type: dict
          contains:
            publisher:
              description: Publisher of the image.
              returned: always
              type: str
              sample: canonical
            offer:
              description: Offer of the image.
              returned: always
              type: str
              sample: 0001-com-ubuntu-server-jammy
            sku:
              description: SKU of the image.
              returned: always
              type: str
              sample: 22_04-lts-gen2
            version:
              description: Version of the image.
              returned: always
              type: str
              sample: 22.04.202609150
            id:
              description: Resource ID of a custom image.
              returned: always
              type: str
        plan:
          description: Marketplace plan of the image.
          returned: always
          type: dict
          contains:
            name:
              description: Name of the plan.
              returned: always
              type: str
            product:
              description: Product of the plan.
              returned: always
              type: str
            publisher:
              description: Publisher of the plan.
              returned: always
              type: str
        security:
          description: Security profile.
          returned: always
          type: dict
          contains:
            secure_boot:
              description: Whether Secure Boot is enabled.
              returned: always
              type: bool
              sample: true
            virtual_tpm:
              description: Whether the virtual TPM is enabled.
              returned: always
              type: bool
              sample: true
            encryption_at_host:
              description: Whether disks are encrypted at the host.
              returned: always
              type: bool
              sample: false
            security_type:
              description: Security type, such as V(TrustedLaunch) or V(ConfidentialVM).
              returned: always
              type: str
              sample: TrustedLaunch
        storage:
          description: Disks and image.
          returned: always
          type: dict
          contains:
            image_reference:
              description: The image reference in the VM's storage profile.
              returned: always
              type: dict
              sample:
                exact_version: 22.04.202609150
                offer: 0001-com-ubuntu-server-jammy
                publisher: canonical
                sku: 22_04-lts-gen2
                version: latest
            os_disk:
              description: The operating system disk.
              returned: always
              type: dict
              sample:
                caching: ReadWrite
                create_option: FromImage
                disk_size_gb: 30
                name: web-1-os
                os_type: Linux
                write_accelerator_enabled: false
              contains:
                device:
                  description: >-
                    The guest's device; V(null) where it has none, or where C(meta.disks) says why disks could not be read. The keys are
                    those of RV(ansible_facts.azure_imds.storage.data_disks[].device).
                  returned: always
                  type: dict
            data_disks:
              description: The data disks, by LUN.
              returned: always
              type: list
              elements: dict
              sample:
                - caching: ReadOnly
                  create_option: Empty
                  disk_size_gb: 128
                  is_shared_disk: false
                  is_ultra_disk: false
                  lun: 0
                  name: web-1-data0
                  write_accelerator_enabled: false
              contains:
                device:
                  description: The guest's device; V(null) where it has none, or where C(meta.disks) says why disks could not be read.
                  returned: always
                  type: dict
                  contains:
                    path:
                      description: Path of the device. On Linux such as C(/dev/sdc), which may change with the next boot.
                      returned: always
                      type: str
                    stable_path:
                      description: On Linux, the best link that stays the same over boots; V(null) where there is none.
                      returned: always
                      type: str
                    links:
                      description: On Linux, all links to the device below C(/dev/disk), sorted.
                      returned: always
                      type: list
                      elements: str
                    wwid:
                      description: On Linux, the unique ID of the disk as the kernel shows it.
                      returned: always
                      type: str
                    size_bytes:
                      description: On Linux, the size in bytes.
                      returned: always
                      type: int
                    transport:
                      description: On Linux, V(scsi) or V(nvme).
                      returned: always
                      type: str
                    partitions:
                      description: On Linux, the partitions.
                      returned: always
                      type: list
                      elements: dict
                      contains:
                        path:
                          description: Path of the partition, such as C(/dev/sdc1).
                          returned: always
                          type: str
                        stable_path:
                          description: The best link to it that stays the same over boots; V(null) where there is none.
                          returned: always
                          type: str
                        number:
                          description: Number of the partition.
                          returned: always
                          type: int
                        size_bytes:
                          description: Size in bytes.
                          returned: always
                          type: int
                    mounts:
                      description: On Linux, where the disk, its partitions, and what stands on them, such as LVM or RAID, are mounted.
                      returned: always
                      type: list
                      elements: dict
                      contains:
                        path:
                          description: Mount point.
                          returned: always
                          type: str
                        src:
                          description: What is mounted there, as the kernel names it.
                          returned: always
                          type: str
                        fstype:
                          description: File system.
                          returned: always
                          type: str
                    holders:
                      description: On Linux, the devices that stand on the disk or its partitions, such as LVM or RAID.
                      returned: always
                      type: list
                      elements: str
                    number:
                      description: On Windows, the number of the disk.
                      returned: always
                      type: int
                    unique_id:
                      description: On Windows, the unique ID of the disk.
                      returned: always
                      type: str
                    partition_style:
                      description: On Windows, V(RAW), V(MBR) or V(GPT).
                      returned: always
                      type: str
                    offline:
                      description: On Windows, whether the disk is offline.
                      returned: always
                      type: bool
                    drive_letters:
                      description: On Windows, the letters of its volumes.
                      returned: always
                      type: list
                      elements: str
                    confidence:
                      description: >-
                        V(exact), or V(guessed) where a rule is uncertain or something contradicts it. Never overwrite a disk that is only
                        guessed.
                      returned: always
                      type: str
            resource_disk:
              description: The local temporary disk. C(size) is in KB.
              returned: always
              type: dict
              sample: {"size": 16777216}
              contains:
                device:
                  description: >-
                    The guest's device; V(null) where it has none, or where C(meta.disks) says why disks could not be read. The keys are
                    those of RV(ansible_facts.azure_imds.storage.data_disks[].device).
                  returned: always
                  type: dict
            local_disks:
              description: Local NVMe disks, which IMDS doesn't list.
              returned: always
              type: list
              elements: dict
              contains:
                index:
                  description: Azure's number of the disk; V(null) unless the links of azure-vm-utils tell.
                  returned: always
                  type: int
                name:
                  description: Azure's name of the disk; V(null) unless the links of azure-vm-utils tell.
                  returned: always
                  type: str
                model:
                  description: Model.
                  returned: always
                  type: str
                serial:
                  description: Serial number.
                  returned: always
                  type: str
                device:
                  description: >-
                    The guest's device; V(null) where it has none, or where C(meta.disks) says why disks could not be read. The keys are
                    those of RV(ansible_facts.azure_imds.storage.data_disks[].device).
                  returned: always
                  type: dict
            contradictions:
              description: Where IMDS and the guest's devices contradict each other.
              returned: always
              type: list
              elements: dict
              contains:
                code:
                  description: What contradicts, such as V(missing_device), V(unknown_to_imds) or V(size_mismatch).
                  returned: always
                  type: str
                lun:
                  description: LUN of the data disk, V(null) for others.
                  returned: always
                  type: int
                path:
                  description: The device, V(null) where there is none.
                  returned: always
                  type: str
                message:
                  description: The contradiction in words.
                  returned: always
                  type: str
        network:
          description: Network interfaces.
          returned: always
          type: dict
          contains:
            primary:
              description: >-
                The interface on which IMDS answered. It is the primary one, because IMDS answers no other. If that can't be
                determined, the interface of the default route, or else the first.
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
                  sample: 00:0d:3a:c4:71:9a
                private_ip_addresses:
                  description: Private IPv4 addresses, the primary one first.
                  returned: always
                  type: list
                  elements: str
                  sample: ["10.20.1.4"]
                public_ip_addresses:
                  description: Public IPv4 addresses.
                  returned: always
                  type: list
                  elements: str
                  sample: ["203.0.113.24"]
                ipv6_addresses:
                  description: Private IPv6 addresses.
                  returned: always
                  type: list
                  elements: str
                public_ipv6_addresses:
                  description: Public IPv6 addresses.
                  returned: always
                  type: list
                  elements: str
                subnets:
                  description: Subnets, each C(address) and C(prefix), a number.
                  returned: always
                  type: list
                  elements: dict
                  sample: [{"address": "10.20.1.0", "prefix": 24}]
                device:
                  description: The guest's interface with this MAC address; V(null) where there is none.
                  returned: always
                  type: str
                  sample: eth0
                driver:
                  description: Driver of that interface, such as V(hv_netvsc), V(netvsc) or V(mana).
                  returned: always
                  type: str
                  sample: hv_netvsc
                accelerated:
                  description: >-
                    Whether traffic bypasses the host now, because a virtual function (VF) is bonded to the interface, or because it is
                    itself one. V(null) where the guest has no such interface.
                  returned: always
                  type: bool
                  sample: true
                vf_device:
                  description: The VF with the same MAC address, bonded or not; V(null) where there is none.
                  returned: always
                  type: str
                  sample: enP1s1
                vf_driver:
                  description: Driver of the VF, such as V(mlx5_core).
                  returned: always
                  type: str
                  sample: mlx5_core
        private_ip:
          description: Primary private IPv4 address.
          returned: always
          type: str
          sample: 10.20.1.4
        public_ip:
          description: Public IPv4 address. With O(load_balancer), that of the load balancer if the VM has none of its own.
          returned: always
          type: str
          sample: 203.0.113.24
        public_ip_source:
          description: Where RV(ansible_facts.azure_imds.public_ip) was found, V(instance) or V(load_balancer).
          returned: always
          type: str
          sample: instance
        tags:
          description: Tags by name. Azure ignores case in names, dictionaries do not.
          returned: always
          type: dict
          sample: {"Environment": "Production", "Owner": "team-web", "Role": "frontend"}
        tags_list:
          description: Tags as a list, in the order of IMDS.
          returned: always
          type: list
          elements: dict
          sample:
            - name: Environment
              value: Production
            - name: Owner
              value: team-web
            - name: Role
              value: frontend
        public_keys:
          description: Public SSH keys, C(type), C(path), C(fingerprint), and C(key_data) with O(include_public_keys).
          returned: always
          type: list
          elements: dict
          sample:
            - type: ssh-rsa
              path: /home/azureuser/.ssh/authorized_keys
              fingerprint: SHA256:cERDva92GH8g0pdaiUxjbQjcxpu98XpXh5/FmDNHj5Q
              key_data: null
            - type: ssh-ed25519
              path: /home/azureuser/.ssh/authorized_keys
              fingerprint: SHA256:1HrjY/95p9vMzZPuJNxI4G0uCheOBy6Jf0AtMPyR0hM
              key_data: null
        user_data:
          description: User data, C(present), C(length) in bytes, C(sha256), and C(base64) with O(include_user_data).
          returned: always
          type: dict
          sample:
            present: true
            length: 35
            sha256: 323851e2ad7b0042725f3060a493d80fa54537f28a6c3ca18bf23f04f385d836
            base64: null
        custom_data:
          description: >-
            Custom data, C(present), C(length) in bytes, C(sha256), and C(base64) with O(include_user_data). Today's IMDS leaves
            it empty.
          returned: always
          type: dict
          sample: {"present": false, "length": 0, "sha256": null, "base64": null}
        host:
          description: Dedicated host.
          returned: always
          type: dict
          contains:
            id:
              description: Resource ID of the dedicated host.
              returned: always
              type: str
        host_group:
          description: Dedicated host group.
          returned: always
          type: dict
          contains:
            id:
              description: Resource ID of the dedicated host group.
              returned: always
              type: str
        extended_location:
          description: Edge zone or other extended location.
          returned: always
          type: dict
          contains:
            name:
              description: Name of the extended location.
              returned: always
              type: str
            type:
              description: Type of the extended location.
              returned: always
              type: str
        additional_capabilities:
          description: Capabilities that are enabled for the VM.
          returned: always
          type: dict
          contains:
            hibernation_enabled:
              description: Whether the VM can hibernate.
              returned: always
              type: bool
              sample: false
        is_host_compatibility_layer_vm:
          description: Whether the VM runs on the host compatibility layer.
          returned: always
          type: bool
          sample: false
        is_vm_in_standby_pool:
          description: Whether the VM waits in a standby pool.
          returned: always
          type: bool
        # </generated>
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
              description: >-
                What the verdict on the platform rests on: C(azure), which is V(null) if the firmware cannot be read,
                C(chassis_asset_tag), C(source), C(mode).
              returned: always
              type: dict
              sample: {"azure": true, "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77", "mode": "auto", "source": "/sys/class/dmi/id/chassis_asset_tag"}
            disks:
              description: >-
                Why no disk has a C(device): C(reason), such as V(no_device_nodes) in a container, and C(message), the reason in words.
                Both are V(null) where the guest's disks were read.
              returned: always
              type: dict
              sample: {"reason": null, "message": null}
            delivery:
              description:
                - How the program that asked IMDS came to the host.
                - V(one_command) is the short way, a single remote command.
                - V(module) is an ordinary module, in C(gather_facts) and wherever the short way is not possible.
                - V(local_fact) is the script that M(imds.azure.azure_imds_local_facts) installs.
              returned: always
              type: str
              sample: one_command
            collected_at:
              description: When, in UTC.
              returned: always
              type: str
              sample: "2026-01-31T12:00:00Z"
"""

from ansible_collections.imds.azure.plugins.module_utils._imds import interpreter

interpreter.start(interpreter.fail_module)  # ahead of what an older Python can't compile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.imds.azure.plugins.module_utils._imds.run_facts import run
from ansible_collections.imds.azure.plugins.module_utils._module import end, facts_argument_spec, keep_loaded


def main() -> None:
    module = AnsibleModule(argument_spec=facts_argument_spec(), supports_check_mode=True)
    end(module, run(module.params, "module"))


if __name__ == "__main__":
    keep_loaded()
    main()
