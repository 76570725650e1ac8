// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The report on a Windows host: its routes, addresses and interfaces, and whether IMDS answers.
// _route_plan/windows_report.py documents what it holds.

using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteAgent;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteAsking;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCandidates;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTables;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteReport
{
    using Map = Dictionary<string, object>;

    public sealed class Reporter
    {
        private readonly Probe probe;
        private readonly World world;
        private readonly Detection detection;
        private readonly bool forced;
        private readonly IDictionary options;

        // forced: IMDS may be asked whatever the firmware says. options: those that name the primary NIC.
        public Reporter(Probe probe, World world, Detection detection, bool forced, IDictionary options)
        {
            this.probe = probe;
            this.world = world;
            this.detection = detection;
            this.forced = forced;
            this.options = options;
        }

        // Each part by itself: what can't be collected is null, with a line in errors.
        public IEnumerable<Call> Report(Map report, bool mayAsk)
        {
            List<object> errors = new List<object>();
            report["system"] = "windows";
            report["errors"] = errors;
            Dictionary<string, Call> parts = new Dictionary<string, Call>
            {
                { "routes.active", Stores.Look("active") },
                { "routes.persistent", Stores.Look("persistent") },
                { "addresses.active", Stores.LookAtAddresses("active") },
                { "addresses.persistent", Stores.LookAtAddresses("persistent") },
                { "interfaces", new Call("Get-NetIPInterface") },
                { "adapters", new Call("Get-NetAdapter") },
                { "find_route", FindRoute("") },
                { "cluster_service", new Call("Get-Service") },
                { "persistent_route_values", new Call("PersistentRoutes") },
                { "persisted_route_table", new Call("Win32_IP4PersistedRouteTable") },
                { "elevated", new Call("IsElevated") },
                { "os", new Call("Win32_OperatingSystem") },
            };
            if (detection.ChassisAssetTag == null)
            {
                parts["enclosure"] = new Call("Win32_SystemEnclosure");
            }
            foreach (KeyValuePair<string, Call> part in parts)
            {
                yield return part.Value;
                if (part.Value.Broken)
                {
                    errors.Add(part.Key + ": " + part.Value.Problem);
                }
            }
            HostTables tables = new HostTables(
                parts["routes.active"], parts["routes.persistent"], parts["addresses.active"],
                parts["addresses.persistent"], parts["interfaces"], parts["adapters"]);
            report["routes"] = new Map { { "active", tables.Routes }, { "persistent", tables.StoredRoutes } };
            report["addresses"] = new Map { { "active", tables.Addresses }, { "persistent", tables.StoredAddresses } };
            report["interfaces"] = tables.Interfaces;
            report["adapters"] = tables.Adapters;
            report["counts"] = tables.Counts;
            report["find_route"] = Rows(parts["find_route"]);
            report["digest"] = HostTables.Digest(
                Stores.Lines(parts["routes.active"], "active")
                    .Concat(Stores.Lines(parts["routes.persistent"], "persistent")));
            report["cluster_service"] = Single(parts["cluster_service"], "Status");
            report["persistent_route_values"] = StoredNames(
                parts["persistent_route_values"], parts["persisted_route_table"]);
            report["elevated"] = Single(parts["elevated"], "Elevated");
            report["os"] = Rows(parts["os"]) == null ? null : parts["os"].Rows.FirstOrDefault();
            report["azure"] = IsAzure(parts);
            report["imds"] = null;
            report["guest_agent"] = null;
            string primary = Given.Text(options, "primary_ip");
            if (mayAsk && (forced || true.Equals(report["azure"])))
            {
                Asking asking = new Asking(probe, world, Candidates.Of(
                    tables, Given.Text(options, "interface"), Given.Text(options, "mac_address"), primary));
                report["imds"] = asking.Run();
                report["guest_agent"] = GuestAgent.Status(world.ReadText(GuestAgent.StatusPath()));
                primary = primary.Length == 0 && asking.Answered != null ? asking.Answered.Address : primary;
            }
            if (primary.Length > 0)
            {
                Call bound = FindRoute(primary);
                yield return bound;
                report["find_route_bound"] = Rows(bound);
            }
        }

        // Null: the firmware can't be read, and CIM does not know it either.
        private bool? IsAzure(Dictionary<string, Call> parts)
        {
            if (!parts.ContainsKey("enclosure"))
            {
                return detection.Azure == true;
            }
            string tag = (string)Single(parts["enclosure"], "SMBIOSAssetTag");
            return string.IsNullOrEmpty(tag) ? (bool?)null : tag.Trim() == Platform.AzureChassisAssetTag;
        }

        private static Call FindRoute(string source)
        {
            return new Call("Find-NetRoute", new Map { { "LocalIPAddress", source } });
        }

        private static List<object> Rows(Call call)
        {
            return call.Broken ? null : call.Rows;
        }

        private static object Single(Call call, string name)
        {
            return call.Rows.Select(row => Given.Value((IDictionary)row, name)).FirstOrDefault();
        }

        // What the registry and WMI keep, in the registry's spelling. They may disagree; either may be unreadable.
        private static List<string> StoredNames(Call registry, Call table)
        {
            if (Rows(registry) == null && Rows(table) == null)
            {
                return null;
            }
            IEnumerable<string> fromTable = table.Rows.Cast<IDictionary>().Select(
                row => string.Join(
                    ",", new[] { "Destination", "Mask", "NextHop", "Metric1" }.Select(name => Given.Text(row, name))));
            return registry.Rows.Select(row => Given.Text((IDictionary)row, "Name")).Concat(fromTable)
                .Where(HostTables.MattersStored).Distinct().ToList();
        }
    }
}
