// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The core's tables and types, as the tests compare them.

using System;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFacts;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFields;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPaths;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static object Tables(Map arguments)
        {
            Settings settings = new Settings();
            return new Map
            {
                { "reasons", Reasons.Table.Select(reason => new[] { reason.Code, reason.Meaning, reason.Remedy }) },
                {
                    "rules", Retry.Rules.ToDictionary(
                        entry => entry.Key,
                        entry => new object[] { entry.Value.Reason, entry.Value.Waits, entry.Value.Jitter })
                },
                { "by_status", Retry.ByStatus.ToDictionary(entry => entry.Key.ToString(), entry => entry.Value) },
                {
                    "connect_errors",
                    Transport.ConnectErrors.ToDictionary(entry => entry.Key.ToString(), entry => entry.Value)
                },
                { "instance", Versions.Instance },
                { "undocumented", Versions.Undocumented },
                { "ladder", Versions.Ladder },
                { "since", new[] { Versions.LoadBalancerSince, Versions.AttestedSince, Versions.TagsListSince } },
                {
                    "roots", Paths.Roots.ToDictionary(
                        root => root.Whole, root => new object[] { root.Since, root.Root })
                },
                { "fields", Fields.Table.Select(field => new[] { field.Fact, field.Kind, field.Source, field.Since }) },
                { "guest_facts", Fields.GuestFacts },
                { "nic", Fields.Nic },
                { "device", Fields.Device },
                { "containers", Fields.Containers },
                { "integers", Fields.Integers },
                { "booleans", Fields.Booleans },
                {
                    "clouds", Fields.Clouds.ToDictionary(
                        entry => entry.Key,
                        entry => new Map
                        {
                            { "resource_manager", entry.Value.ResourceManager },
                            { "active_directory", entry.Value.ActiveDirectory },
                            { "key_vault_suffix", entry.Value.KeyVaultSuffix },
                            { "storage_suffix", entry.Value.StorageSuffix },
                        })
                },
                { "kinds", Facts.Converters.Keys },
                { "reserved", Facts.Reserved },
                { "tag", Platform.AzureChassisAssetTag },
                { "endpoint", Options.Endpoint },
                { "settings", Shown(settings) },
                {
                    "limits", new object[]
                    {
                        Transport.MaxHead, Transport.MaxBody, Json.MaxDepth, Client.MaxValues, Client.Pace,
                        Client.ProbeTimeout,
                    }
                },
                { "version", Client.Version },
            };
        }

        private static Map Shown(Settings settings)
        {
            return new Map
            {
                { "address", new object[] { settings.Host, settings.Port } },
                { "api_version", settings.ApiVersion },
                { "detect", settings.Detect },
                { "chassis_asset_tag", settings.ChassisAssetTag },
                { "connect_timeout", settings.ConnectTimeout },
                { "read_timeout", settings.ReadTimeout },
                { "timeout", settings.Timeout },
                { "updating_timeout", settings.UpdatingTimeout },
                { "include_user_data", settings.IncludeUserData },
                { "include_public_keys", settings.IncludePublicKeys },
                { "load_balancer", settings.LoadBalancer },
                { "loopback", settings.Loopback },
            };
        }

        private static Map Shown(Interface entry)
        {
            return new Map
            {
                { "name", entry.Name }, { "mac", entry.Mac }, { "up", entry.Up }, { "addresses", entry.Addresses },
            };
        }
    }
}
