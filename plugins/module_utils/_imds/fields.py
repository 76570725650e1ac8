# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of facts: where each comes from, what it becomes, and which API version brought it. Pure data.

`make generate` writes these tables into the C# core and into the documentation.
"""

from __future__ import annotations


class Field:
    """fact: path below azure_imds; kind: key of facts.CONVERTERS; source: path in the instance document."""

    def __init__(self, fact: str, kind: str, source: str, since: str) -> None:
        self.fact = fact
        self.kind = kind
        self.source = source
        self.since = since


# Fact, kind, source and version, names in dotted paths, and below each row what the documentation says of it; a name by
# itself is that of a dictionary, and one of kind guest is a list that only the guest fills. The order is the order of
# the facts. A text, because that is compiled in no time.
TABLE = """\
name string compute.name 2017-04-02
    Name of the VM.
vm_id string compute.vmId 2017-04-02
    Unique ID of the VM.
resource_id string compute.resourceId 2019-03-11
    Resource ID of the VM. The filter P(imds.azure.parse_resource_id#filter) splits it into its parts.
resource_group_name string compute.resourceGroupName 2017-08-01
    Resource group of the VM.
subscription_id string compute.subscriptionId 2017-08-01
    Subscription of the VM.
location location compute.location 2017-04-02
    Azure region, in lower case without spaces.
zone string compute.zone 2017-12-01
    Availability zone, V(null) if the VM is not in one.
physical_zone string compute.physicalZone 2023-11-15
    Physical zone behind the availability zone.
environment environment compute.azEnvironment 2018-10-01
    Azure cloud that the VM runs in.
endpoints endpoints compute.azEnvironment 2018-10-01
    Addresses of that cloud's services.
vm_size string compute.vmSize 2017-04-02
    Size of the VM.
os_type string compute.osType 2017-04-02
    Operating system, V(Linux) or V(Windows).
os_profile
    Settings with which the VM was created.
os_profile.admin_username string compute.osProfile.adminUsername 2020-07-15
    Name of the administrator.
os_profile.computer_name string compute.osProfile.computerName 2020-07-15
    Name of the computer.
os_profile.disable_password_authentication boolean compute.osProfile.disablePasswordAuthentication 2020-10-01
    Whether logging in with a password is disabled.
priority string compute.priority 2020-12-01
    V(Regular), V(Spot) or V(Low).
eviction_policy string compute.evictionPolicy 2020-12-01
    What happens to a Spot VM when it is evicted.
license_type string compute.licenseType 2020-09-01
    License of the Azure Hybrid Benefit.
platform_fault_domain integer compute.platformFaultDomain 2017-04-02
    Fault domain.
platform_update_domain integer compute.platformUpdateDomain 2017-04-02
    Update domain.
platform_sub_fault_domain integer compute.platformSubFaultDomain 2021-10-01
    Sub fault domain.
placement_group_id string compute.placementGroupId 2017-08-01
    Placement group of the scale set.
scale_set string compute.vmScaleSetName 2017-12-01
    Name of the scale set, in either orchestration mode.
scale_set_id string compute.virtualMachineScaleSet.id 2021-03-01
    Resource ID of the scale set. IMDS reports it only for flexible orchestration.
provider string compute.provider 2018-10-01
    Resource provider of the VM.
image
    Image that the VM was made from.
image.publisher string compute.publisher 2017-04-02
    Publisher of the image.
image.offer string compute.offer 2017-04-02
    Offer of the image.
image.sku string compute.sku 2017-04-02
    SKU of the image.
image.version string compute.version 2017-04-02
    Version of the image.
image.id string compute.storageProfile.imageReference.id 2019-06-01
    Resource ID of a custom image.
plan
    Marketplace plan of the image.
plan.name string compute.plan.name 2018-04-02
    Name of the plan.
plan.product string compute.plan.product 2018-04-02
    Product of the plan.
plan.publisher string compute.plan.publisher 2018-04-02
    Publisher of the plan.
security
    Security profile.
security.secure_boot boolean compute.securityProfile.secureBootEnabled 2020-06-01
    Whether Secure Boot is enabled.
security.virtual_tpm boolean compute.securityProfile.virtualTpmEnabled 2020-06-01
    Whether the virtual TPM is enabled.
security.encryption_at_host boolean compute.securityProfile.encryptionAtHost 2021-11-01
    Whether disks are encrypted at the host.
security.security_type string compute.securityProfile.securityType 2021-12-13
    Security type, such as V(TrustedLaunch) or V(ConfidentialVM).
storage
    Disks and image.
storage.image_reference object compute.storageProfile.imageReference 2019-06-01
    The image reference in the VM's storage profile.
storage.os_disk disk compute.storageProfile.osDisk 2019-06-01
    The operating system disk.
storage.data_disks disks compute.storageProfile.dataDisks 2019-06-01
    The data disks, by LUN.
storage.resource_disk disk compute.storageProfile.resourceDisk 2021-02-01
    The local temporary disk. C(size) is in KB.
storage.local_disks guest
    Local NVMe disks, which IMDS doesn't list.
storage.contradictions guest
    Where IMDS and the guest's devices contradict each other.
network
    Network interfaces.
network.primary primary network.interface 2017-04-02
    The interface on which IMDS answered. It is the primary one, because IMDS answers no other. If that can't be
    determined, the interface of the default route, or else the first.
network.interfaces interfaces network.interface 2017-04-02
    All interfaces, in no particular order.
private_ip private_ip network.interface 2017-04-02
    Primary private IPv4 address.
public_ip public_ip network.interface 2017-04-02
    Public IPv4 address. With O(load_balancer), that of the load balancer if the VM has none of its own.
public_ip_source public_ip_source network.interface 2017-04-02
    Where RV(ansible_facts.azure_imds.public_ip) was found, V(instance) or V(load_balancer).
tags tags compute.tagsList 2017-08-01
    Tags by name. Azure ignores case in names, dictionaries do not.
tags_list list compute.tagsList 2019-06-04
    Tags as a list, in the order of IMDS.
public_keys public_keys compute.publicKeys 2018-04-02
    Public SSH keys, C(type), C(path), C(fingerprint), and C(key_data) with O(include_public_keys).
user_data blob compute.userData 2021-01-01
    User data, C(present), C(length) in bytes, C(sha256), and C(base64) with O(include_user_data).
custom_data blob compute.customData 2019-02-01
    Custom data, C(present), C(length) in bytes, C(sha256), and C(base64) with O(include_user_data). Today's IMDS
    leaves it empty.
host
    Dedicated host.
host.id string compute.host.id 2021-11-15
    Resource ID of the dedicated host.
host_group
    Dedicated host group.
host_group.id string compute.hostGroup.id 2021-11-15
    Resource ID of the dedicated host group.
extended_location
    Edge zone or other extended location.
extended_location.name string compute.extendedLocation.name 2021-03-01
    Name of the extended location.
extended_location.type string compute.extendedLocation.type 2021-03-01
    Type of the extended location.
additional_capabilities
    Capabilities that are enabled for the VM.
additional_capabilities.hibernation_enabled boolean compute.additionalCapabilities.hibernationEnabled 2021-11-01
    Whether the VM can hibernate.
is_host_compatibility_layer_vm boolean compute.isHostCompatibilityLayerVm 2020-06-01
    Whether the VM runs on the host compatibility layer.
is_vm_in_standby_pool boolean compute.isVmInStandbyPool undocumented
    Whether the VM waits in a standby pool.
"""

FIELDS = tuple(Field(*row.split()) for row in TABLE.splitlines() if row[0] != " " and row.count(" ") == 3)
GUEST_FACTS = tuple(row.split()[0] for row in TABLE.splitlines() if row[0] != " " and row.endswith(" guest"))

# What the guest adds to each interface, null where it has none with that MAC address.
NIC = ("device", "driver", "accelerated", "vf_device", "vf_driver")

# The keys of a disk's device, on Linux and on Windows; tests/tools/generate/facts.py describes them.
DEVICE = (
    "path",
    "stable_path",
    "links",
    "wwid",
    "size_bytes",
    "transport",
    "partitions",
    "mounts",
    "holders",
    "confidence",
)
WINDOWS_DEVICE = ("number", "path", "unique_id", "partition_style", "offline", "drive_letters", "confidence")

# Objects whose keys, those that IMDS adds later too, belong under a fact of another name.
CONTAINERS = {
    "compute": "",
    "compute.additionalCapabilities": "additional_capabilities",
    "compute.extendedLocation": "extended_location",
    "compute.host": "host",
    "compute.hostGroup": "host_group",
    "compute.osProfile": "os_profile",
    "compute.plan": "plan",
    "compute.securityProfile": "security",
    "compute.storageProfile": "storage",
    "network": "network",
}

# Keys of disks, images and subnets whose values are not strings.
INTEGERS = {
    "bytesPerSecondThrottle",
    "diskCapacityBytes",
    "diskSizeGB",
    "lun",
    "opsPerSecondThrottle",
    "prefix",
    "size",
}
BOOLEANS = {"enabled", "isSharedDisk", "isUltraDisk", "writeAcceleratorEnabled"}

# azEnvironment -> where the cloud's services are.
CLOUDS = {
    "AzurePublicCloud": {
        "resource_manager": "https://management.azure.com",
        "active_directory": "https://login.microsoftonline.com",
        "key_vault_suffix": "vault.azure.net",
        "storage_suffix": "core.windows.net",
    },
    "AzureUSGovernmentCloud": {
        "resource_manager": "https://management.usgovcloudapi.net",
        "active_directory": "https://login.microsoftonline.us",
        "key_vault_suffix": "vault.usgovcloudapi.net",
        "storage_suffix": "core.usgovcloudapi.net",
    },
    "AzureChinaCloud": {
        "resource_manager": "https://management.chinacloudapi.cn",
        "active_directory": "https://login.chinacloudapi.cn",
        "key_vault_suffix": "vault.azure.cn",
        "storage_suffix": "core.chinacloudapi.cn",
    },
    "AzureGermanCloud": {
        "resource_manager": "https://management.microsoftazure.de",
        "active_directory": "https://login.microsoftonline.de",
        "key_vault_suffix": "vault.microsoftazure.de",
        "storage_suffix": "core.cloudapi.de",
    },
}
