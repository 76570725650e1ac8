# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of facts: where each comes from, what it becomes, and which API version brought it. Pure data."""

from __future__ import annotations


class Field:
    """fact: path below azure_imds; kind: key of facts.CONVERTERS; source: path in the instance document."""

    def __init__(self, fact: str, kind: str, source: str, since: str) -> None:
        self.fact = fact
        self.kind = kind
        self.source = source
        self.since = since


# Names in dotted paths; the order is the order of the facts. A text, because that is compiled in no time.
_TABLE = """
name                                        string      compute.name                                      2017-04-02
vm_id                                       string      compute.vmId                                      2017-04-02
resource_id                                 string      compute.resourceId                                2019-03-11
resource_group_name                         string      compute.resourceGroupName                         2017-08-01
subscription_id                             string      compute.subscriptionId                            2017-08-01
location                                    location    compute.location                                  2017-04-02
zone                                        string      compute.zone                                      2017-12-01
physical_zone                               string      compute.physicalZone                              2023-11-15
environment                                 environment compute.azEnvironment                             2018-10-01
endpoints                                   endpoints   compute.azEnvironment                             2018-10-01
vm_size                                     string      compute.vmSize                                    2017-04-02
os_type                                     string      compute.osType                                    2017-04-02
os_profile.admin_username                   string      compute.osProfile.adminUsername                   2020-07-15
os_profile.computer_name                    string      compute.osProfile.computerName                    2020-07-15
os_profile.disable_password_authentication  boolean     compute.osProfile.disablePasswordAuthentication   2020-10-01
priority                                    string      compute.priority                                  2020-12-01
eviction_policy                             string      compute.evictionPolicy                            2020-12-01
license_type                                string      compute.licenseType                               2020-09-01
platform_fault_domain                       integer     compute.platformFaultDomain                       2017-04-02
platform_update_domain                      integer     compute.platformUpdateDomain                      2017-04-02
platform_sub_fault_domain                   integer     compute.platformSubFaultDomain                    2021-10-01
placement_group_id                          string      compute.placementGroupId                          2017-08-01
scale_set                                   string      compute.vmScaleSetName                            2017-12-01
scale_set_id                                string      compute.virtualMachineScaleSet.id                 2021-03-01
provider                                    string      compute.provider                                  2018-10-01
image.publisher                             string      compute.publisher                                 2017-04-02
image.offer                                 string      compute.offer                                     2017-04-02
image.sku                                   string      compute.sku                                       2017-04-02
image.version                               string      compute.version                                   2017-04-02
image.id                                    string      compute.storageProfile.imageReference.id          2019-06-01
plan.name                                   string      compute.plan.name                                 2018-04-02
plan.product                                string      compute.plan.product                              2018-04-02
plan.publisher                              string      compute.plan.publisher                            2018-04-02
security.secure_boot                        boolean     compute.securityProfile.secureBootEnabled         2020-06-01
security.virtual_tpm                        boolean     compute.securityProfile.virtualTpmEnabled         2020-06-01
security.encryption_at_host                 boolean     compute.securityProfile.encryptionAtHost          2021-11-01
security.security_type                      string      compute.securityProfile.securityType              2021-12-13
storage.image_reference                     object      compute.storageProfile.imageReference             2019-06-01
storage.os_disk                             object      compute.storageProfile.osDisk                     2019-06-01
storage.data_disks                          disks       compute.storageProfile.dataDisks                  2019-06-01
storage.resource_disk                       object      compute.storageProfile.resourceDisk               2021-02-01
network.primary                             primary     network.interface                                 2017-04-02
network.interfaces                          interfaces  network.interface                                 2017-04-02
private_ip                                  private_ip  network.interface                                 2017-04-02
public_ip                                   public_ip   network.interface                                 2017-04-02
public_ip_source                            public_ip_source network.interface                            2017-04-02
tags                                        tags        compute.tagsList                                  2017-08-01
tags_list                                   list        compute.tagsList                                  2019-06-04
public_keys                                 public_keys compute.publicKeys                                2018-04-02
user_data                                   blob        compute.userData                                  2021-01-01
custom_data                                 blob        compute.customData                                2019-02-01
host.id                                     string      compute.host.id                                   2021-11-15
host_group.id                               string      compute.hostGroup.id                              2021-11-15
extended_location.name                      string      compute.extendedLocation.name                     2021-03-01
extended_location.type                      string      compute.extendedLocation.type                     2021-03-01
additional_capabilities.hibernation_enabled boolean     compute.additionalCapabilities.hibernationEnabled 2021-11-01
is_host_compatibility_layer_vm              boolean     compute.isHostCompatibilityLayerVm                2020-06-01
is_vm_in_standby_pool                       boolean     compute.isVmInStandbyPool                         undocumented
"""

FIELDS = tuple(Field(*row.split()) for row in _TABLE.strip().splitlines())

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

# Keys inside of disks, images and subnets that are no strings.
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
