// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The table of facts: where each comes from, what it becomes, and which API version brought it. Twin of
// _imds/fields.py.

using System.Collections.Generic;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsFields
{
    // Fact: path below azure_imds. Kind: key of Facts.Converters. Source: path in the instance document.
    public sealed class Field
    {
        public readonly string Fact;
        public readonly string Kind;
        public readonly string Source;
        public readonly string Since;

        public Field(string fact, string kind, string source, string since)
        {
            Fact = fact;
            Kind = kind;
            Source = source;
            Since = since;
        }
    }

    // Where a cloud's services are; all null where the cloud is not known.
    public sealed class Cloud
    {
        public readonly string ResourceManager;
        public readonly string ActiveDirectory;
        public readonly string KeyVaultSuffix;
        public readonly string StorageSuffix;

        public Cloud(string resourceManager, string activeDirectory, string keyVaultSuffix, string storageSuffix)
        {
            ResourceManager = resourceManager;
            ActiveDirectory = activeDirectory;
            KeyVaultSuffix = keyVaultSuffix;
            StorageSuffix = storageSuffix;
        }
    }

    public static class Fields
    {
        // Names in dotted paths; the order is the order of the facts.
        // <generated fields: make generate>
        public static readonly Field[] Table =
        {
            new Field("name", "string", "compute.name", "2017-04-02"),
            new Field("vm_id", "string", "compute.vmId", "2017-04-02"),
            new Field("resource_id", "string", "compute.resourceId", "2019-03-11"),
            new Field("resource_group_name", "string", "compute.resourceGroupName", "2017-08-01"),
            new Field("subscription_id", "string", "compute.subscriptionId", "2017-08-01"),
            new Field("location", "location", "compute.location", "2017-04-02"),
            new Field("zone", "string", "compute.zone", "2017-12-01"),
            new Field("physical_zone", "string", "compute.physicalZone", "2023-11-15"),
            new Field("environment", "environment", "compute.azEnvironment", "2018-10-01"),
            new Field("endpoints", "endpoints", "compute.azEnvironment", "2018-10-01"),
            new Field("vm_size", "string", "compute.vmSize", "2017-04-02"),
            new Field("os_type", "string", "compute.osType", "2017-04-02"),
            new Field("os_profile.admin_username", "string", "compute.osProfile.adminUsername", "2020-07-15"),
            new Field("os_profile.computer_name", "string", "compute.osProfile.computerName", "2020-07-15"),
            new Field(
                "os_profile.disable_password_authentication",
                "boolean",
                "compute.osProfile.disablePasswordAuthentication",
                "2020-10-01"),
            new Field("priority", "string", "compute.priority", "2020-12-01"),
            new Field("eviction_policy", "string", "compute.evictionPolicy", "2020-12-01"),
            new Field("license_type", "string", "compute.licenseType", "2020-09-01"),
            new Field("platform_fault_domain", "integer", "compute.platformFaultDomain", "2017-04-02"),
            new Field("platform_update_domain", "integer", "compute.platformUpdateDomain", "2017-04-02"),
            new Field("platform_sub_fault_domain", "integer", "compute.platformSubFaultDomain", "2021-10-01"),
            new Field("placement_group_id", "string", "compute.placementGroupId", "2017-08-01"),
            new Field("scale_set", "string", "compute.vmScaleSetName", "2017-12-01"),
            new Field("scale_set_id", "string", "compute.virtualMachineScaleSet.id", "2021-03-01"),
            new Field("provider", "string", "compute.provider", "2018-10-01"),
            new Field("image.publisher", "string", "compute.publisher", "2017-04-02"),
            new Field("image.offer", "string", "compute.offer", "2017-04-02"),
            new Field("image.sku", "string", "compute.sku", "2017-04-02"),
            new Field("image.version", "string", "compute.version", "2017-04-02"),
            new Field("image.id", "string", "compute.storageProfile.imageReference.id", "2019-06-01"),
            new Field("plan.name", "string", "compute.plan.name", "2018-04-02"),
            new Field("plan.product", "string", "compute.plan.product", "2018-04-02"),
            new Field("plan.publisher", "string", "compute.plan.publisher", "2018-04-02"),
            new Field("security.secure_boot", "boolean", "compute.securityProfile.secureBootEnabled", "2020-06-01"),
            new Field("security.virtual_tpm", "boolean", "compute.securityProfile.virtualTpmEnabled", "2020-06-01"),
            new Field(
                "security.encryption_at_host",
                "boolean",
                "compute.securityProfile.encryptionAtHost",
                "2021-11-01"),
            new Field("security.security_type", "string", "compute.securityProfile.securityType", "2021-12-13"),
            new Field("storage.image_reference", "object", "compute.storageProfile.imageReference", "2019-06-01"),
            new Field("storage.os_disk", "disk", "compute.storageProfile.osDisk", "2019-06-01"),
            new Field("storage.data_disks", "disks", "compute.storageProfile.dataDisks", "2019-06-01"),
            new Field("storage.resource_disk", "disk", "compute.storageProfile.resourceDisk", "2021-02-01"),
            new Field("network.primary", "primary", "network.interface", "2017-04-02"),
            new Field("network.interfaces", "interfaces", "network.interface", "2017-04-02"),
            new Field("private_ip", "private_ip", "network.interface", "2017-04-02"),
            new Field("public_ip", "public_ip", "network.interface", "2017-04-02"),
            new Field("public_ip_source", "public_ip_source", "network.interface", "2017-04-02"),
            new Field("tags", "tags", "compute.tagsList", "2017-08-01"),
            new Field("tags_list", "list", "compute.tagsList", "2019-06-04"),
            new Field("public_keys", "public_keys", "compute.publicKeys", "2018-04-02"),
            new Field("user_data", "blob", "compute.userData", "2021-01-01"),
            new Field("custom_data", "blob", "compute.customData", "2019-02-01"),
            new Field("host.id", "string", "compute.host.id", "2021-11-15"),
            new Field("host_group.id", "string", "compute.hostGroup.id", "2021-11-15"),
            new Field("extended_location.name", "string", "compute.extendedLocation.name", "2021-03-01"),
            new Field("extended_location.type", "string", "compute.extendedLocation.type", "2021-03-01"),
            new Field(
                "additional_capabilities.hibernation_enabled",
                "boolean",
                "compute.additionalCapabilities.hibernationEnabled",
                "2021-11-01"),
            new Field("is_host_compatibility_layer_vm", "boolean", "compute.isHostCompatibilityLayerVm", "2020-06-01"),
            new Field("is_vm_in_standby_pool", "boolean", "compute.isVmInStandbyPool", "undocumented"),
        };
        // </generated>

        // Lists that only the guest fills; what it adds to each interface; the keys of a disk's device.
        // <generated guest: make generate>
        public static readonly string[] GuestFacts =
        {
            "storage.local_disks",
            "storage.contradictions",
        };
        public static readonly string[] Nic =
        {
            "device",
            "driver",
            "accelerated",
            "vf_device",
            "vf_driver",
        };
        public static readonly string[] Device =
        {
            "number",
            "path",
            "unique_id",
            "partition_style",
            "offline",
            "drive_letters",
            "confidence",
        };
        // </generated>

        // Objects whose keys, those that IMDS adds later too, belong under a fact of another name.
        // <generated containers: make generate>
        public static readonly Dictionary<string, string> Containers = new Dictionary<string, string>
        {
            { "compute", "" },
            { "compute.additionalCapabilities", "additional_capabilities" },
            { "compute.extendedLocation", "extended_location" },
            { "compute.host", "host" },
            { "compute.hostGroup", "host_group" },
            { "compute.osProfile", "os_profile" },
            { "compute.plan", "plan" },
            { "compute.securityProfile", "security" },
            { "compute.storageProfile", "storage" },
            { "network", "network" },
        };
        // </generated>

        // Keys inside of disks, images and subnets that are no strings.
        // <generated typed_keys: make generate>
        public static readonly HashSet<string> Integers = new HashSet<string>
        {
            "bytesPerSecondThrottle",
            "diskCapacityBytes",
            "diskSizeGB",
            "lun",
            "opsPerSecondThrottle",
            "prefix",
            "size",
        };
        public static readonly HashSet<string> Booleans = new HashSet<string>
        {
            "enabled",
            "isSharedDisk",
            "isUltraDisk",
            "writeAcceleratorEnabled",
        };
        // </generated>

        // azEnvironment -> where the cloud's services are.
        // <generated clouds: make generate>
        public static readonly Dictionary<string, Cloud> Clouds = new Dictionary<string, Cloud>
        {
            {
                "AzurePublicCloud",
                new Cloud(
                    "https://management.azure.com",
                    "https://login.microsoftonline.com",
                    "vault.azure.net",
                    "core.windows.net")
            },
            {
                "AzureUSGovernmentCloud",
                new Cloud(
                    "https://management.usgovcloudapi.net",
                    "https://login.microsoftonline.us",
                    "vault.usgovcloudapi.net",
                    "core.usgovcloudapi.net")
            },
            {
                "AzureChinaCloud",
                new Cloud(
                    "https://management.chinacloudapi.cn",
                    "https://login.chinacloudapi.cn",
                    "vault.azure.cn",
                    "core.chinacloudapi.cn")
            },
            {
                "AzureGermanCloud",
                new Cloud(
                    "https://management.microsoftazure.de",
                    "https://login.microsoftonline.de",
                    "vault.microsoftazure.de",
                    "core.cloudapi.de")
            },
        };
        // </generated>
    }
}
