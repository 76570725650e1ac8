// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which paths a user may ask for. Pure. Twin of _imds/paths.py.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsPaths
{
    public static class Paths
    {
        public static readonly ImdsPath[] Roots =
        {
            ImdsPath.Instance,
            ImdsPath.Attested,
            ImdsPath.LoadBalancer,
            new ImdsPath("versions", "", true),
        };

        // All single values that are documented, in dotted paths below instance. A star is any index.
        // <generated leaves: make generate>
        public static readonly HashSet<string> Leaves = new HashSet<string>
        {
            "compute.additionalCapabilities.hibernationEnabled",
            "compute.azEnvironment",
            "compute.customData",
            "compute.evictionPolicy",
            "compute.extendedLocation.name",
            "compute.extendedLocation.type",
            "compute.host.id",
            "compute.hostGroup.id",
            "compute.isHostCompatibilityLayerVm",
            "compute.isVmInStandbyPool",
            "compute.licenseType",
            "compute.location",
            "compute.name",
            "compute.offer",
            "compute.osProfile.adminUsername",
            "compute.osProfile.computerName",
            "compute.osProfile.disablePasswordAuthentication",
            "compute.osType",
            "compute.physicalZone",
            "compute.placementGroupId",
            "compute.plan.name",
            "compute.plan.product",
            "compute.plan.publisher",
            "compute.platformFaultDomain",
            "compute.platformSubFaultDomain",
            "compute.platformUpdateDomain",
            "compute.priority",
            "compute.provider",
            "compute.publicKeys.*.keyData",
            "compute.publicKeys.*.path",
            "compute.publisher",
            "compute.resourceGroupName",
            "compute.resourceId",
            "compute.securityProfile.encryptionAtHost",
            "compute.securityProfile.secureBootEnabled",
            "compute.securityProfile.securityType",
            "compute.securityProfile.virtualTpmEnabled",
            "compute.sku",
            "compute.storageProfile.dataDisks.*.diskSizeGB",
            "compute.storageProfile.dataDisks.*.lun",
            "compute.storageProfile.dataDisks.*.managedDisk.id",
            "compute.storageProfile.dataDisks.*.name",
            "compute.storageProfile.imageReference.exactVersion",
            "compute.storageProfile.imageReference.id",
            "compute.storageProfile.imageReference.offer",
            "compute.storageProfile.imageReference.publisher",
            "compute.storageProfile.imageReference.sku",
            "compute.storageProfile.imageReference.version",
            "compute.storageProfile.osDisk.diskSizeGB",
            "compute.storageProfile.osDisk.managedDisk.id",
            "compute.storageProfile.osDisk.name",
            "compute.storageProfile.resourceDisk.size",
            "compute.subscriptionId",
            "compute.tags",
            "compute.tagsList.*.name",
            "compute.tagsList.*.value",
            "compute.userData",
            "compute.version",
            "compute.virtualMachineScaleSet.id",
            "compute.vmId",
            "compute.vmScaleSetName",
            "compute.vmSize",
            "compute.zone",
            "network.interface.*.ipv4.ipAddress.*.privateIpAddress",
            "network.interface.*.ipv4.ipAddress.*.publicIpAddress",
            "network.interface.*.ipv4.subnet.*.address",
            "network.interface.*.ipv4.subnet.*.prefix",
            "network.interface.*.ipv6.ipAddress.*.privateIpAddress",
            "network.interface.*.macAddress",
        };
        // </generated>

        private static readonly Regex Key = new Regex(@"\A[A-Za-z0-9_-]+\z");

        private static bool IsLeaf(IEnumerable<string> parts)
        {
            return Leaves.Contains(string.Join(".", parts.Select(part => part.All(char.IsDigit) ? "*" : part)));
        }

        // Check a path below /metadata, such as instance/compute/tagsList/0: a documented root, or keys and indexes
        // below instance.
        public static ImdsPath Parse(string text)
        {
            string[] parts = text.Trim('/').Split('/');
            if (!parts.All(part => Key.IsMatch(part)))
            {
                throw new OptionException(
                    "path",
                    Text.Quote(text)
                    + " may only contain keys and indexes between slashes, such as instance/network/interface/0");
            }
            if (parts[0].ToLowerInvariant() == "identity")
            {
                throw new OptionException(
                    "path", "the identity endpoints hand out secrets, which this module never reads");
            }
            string whole = string.Join("/", parts);
            ImdsPath root = Roots.FirstOrDefault(known => known.Whole == whole);
            if (root == null && parts[0] != ImdsPath.Instance.Whole)
            {
                string names = string.Join(", ", Roots.Select(known => known.Whole));
                throw new OptionException(
                    "path", Text.Quote(text) + " is not one of " + names + ", nor a path below instance");
            }
            return root ?? new ImdsPath(whole, ImdsPath.Instance.Since, false, IsLeaf(parts.Skip(1)));
        }
    }
}
