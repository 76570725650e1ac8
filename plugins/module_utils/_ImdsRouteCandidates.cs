// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which pairs of address and NIC may be the primary ones, most likely first. Pure. Twin of _routes/candidates.py, and
// of what _route_plan/windows_report.py makes of interfaces.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteAsking;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTables;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCandidates
{
    public static class Candidates
    {
        public const int Most = 8;

        // <generated marks: make generate>
        private static readonly string[] ClusterMarks =
        {
            "failover cluster virtual adapter",
            "root\\netft",
        };
        private static readonly string[] TunnelMarks =
        {
            "tap-windows",
            "wireguard",
            "wintun",
            "openvpn",
            "wan miniport",
            "vpn",
            "pangp",
            "anyconnect",
            "fortinet",
            "juniper",
            "check point virtual",
            "sonicwall",
            "zscaler",
            "netskope",
            "tunnel",
            "ppp adapter",
        };
        private static readonly string[] TunnelTypes =
        {
            "23",
            "131",
        };
        private static readonly string[] LoopbackTypes =
        {
            "24",
        };
        private static readonly string[] InnerSwitches =
        {
            "vethernet (nat",
            "vethernet (default switch",
            "vethernet (hns",
            "vethernet (wsl",
            "vethernet (docker",
        };
        // </generated>

        // interfaceName: name or index; macAddress, primaryAddress: as given. "" for each that the user does not name.
        public static List<Candidate> Of(
            HostTables tables, string interfaceName, string macAddress, string primaryAddress)
        {
            string mac = Text.Mac(macAddress) ?? "";
            return Nics(tables)
                .Where(nic => nic.MayBePrimary)
                .Where(nic => interfaceName.Length == 0 || interfaceName == nic.Name || interfaceName == nic.IndexText)
                .Where(nic => mac.Length == 0 || mac == nic.Mac)
                .SelectMany(nic => nic.Addresses)
                .Where(own => primaryAddress.Length == 0 || primaryAddress == own.Text)
                .OrderBy(own => own.Nic.Kind != "ethernet")
                .ThenBy(own => !own.Nic.HasAzureRoutes)
                .ThenBy(own => own.Nic.DefaultMetric)
                .ThenBy(own => own.Nic.Index)
                .ThenBy(own => own.Virtual)
                .ThenBy(own => !own.Leased)
                .Take(Most).Select(own => new Candidate(own.Nic.Index, own.Text, own.Nic.Mac)).ToList();
        }

        // ethernet, tunnel, cluster, virtual or loopback.
        public static string Kind(long index, string name, IDictionary adapter)
        {
            string about = string.Join(
                " ",
                new[] { "InterfaceDescription", "ComponentID", "PnPDeviceID" }
                    .Select(key => Given.Text(adapter, key).ToLowerInvariant()));
            string type = Given.Text(adapter, "InterfaceType").ToLowerInvariant();
            if (ClusterMarks.Any(about.Contains))
            {
                return "cluster";
            }
            if (index == 1 || LoopbackTypes.Contains(type) || about.Contains("loopback"))
            {
                return "loopback";
            }
            if (TunnelTypes.Contains(type) || TunnelMarks.Any(about.Contains))
            {
                return "tunnel";
            }
            string lower = name.ToLowerInvariant();
            return InnerSwitches.Any(start => lower.StartsWith(start, StringComparison.Ordinal))
                ? "virtual" : "ethernet";
        }

        private static List<Nic> Nics(HostTables tables)
        {
            return (tables.Interfaces ?? new List<IDictionary>())
                .GroupBy(HostTables.Index).Select(group => new Nic(tables, group.First())).ToList();
        }

        private sealed class Own
        {
            public Nic Nic;
            public string Text;
            public bool Virtual;
            public bool Leased;
        }

        private sealed class Nic
        {
            public readonly long Index;
            public readonly string Name;
            public readonly string Mac;
            public readonly string Kind;
            public readonly bool HasAzureRoutes;
            public readonly long DefaultMetric = long.MaxValue;
            public readonly List<Own> Addresses;

            private readonly bool up;

            public Nic(HostTables tables, IDictionary row)
            {
                Index = HostTables.Index(row);
                IDictionary adapter = (tables.Adapters ?? new List<IDictionary>())
                    .FirstOrDefault(one => HostTables.Index(one) == Index);
                string alias = Given.Text(row, "InterfaceAlias");
                Name = alias.Length > 0 ? alias : Given.Text(adapter, "Name");
                Mac = Text.Mac(Given.Text(adapter, "MacAddress")) ?? "";
                Kind = Candidates.Kind(Index, Name, adapter);
                string state = Given.Text(row, "ConnectionState").ToLowerInvariant();
                string status = Given.Text(adapter, "Status").ToLowerInvariant();
                up = state != "disconnected" && state != "0"
                    && status != "disconnected" && status != "disabled" && status != "not present";
                Addresses = (tables.Addresses ?? new List<IDictionary>())
                    .Where(one => HostTables.Index(one) == Index && MayBeAsked(one))
                    .Select(one => ToOwn(one, tables)).ToList();
                List<IDictionary> routes = (tables.Routes ?? new List<IDictionary>())
                    .Where(one => HostTables.Index(one) == Index).ToList();
                string dhcp = Given.Text(row, "Dhcp").ToLowerInvariant();
                if (dhcp == "enabled" || dhcp == "1")
                {
                    HasAzureRoutes = routes.Any(one => IsAzures(one) && !IsStored(one, tables));
                }
                long metric = Given.Whole(row, "InterfaceMetric");
                foreach (IDictionary route in routes.Where(IsDefault))
                {
                    DefaultMetric = Math.Min(DefaultMetric, metric + Given.Whole(route, "RouteMetric"));
                }
            }

            public string IndexText
            {
                get { return Index.ToString(CultureInfo.InvariantCulture); }
            }

            public bool MayBePrimary
            {
                get { return up && Kind != "loopback" && Kind != "cluster" && Kind != "tunnel"; }
            }

            private static bool MayBeAsked(IDictionary row)
            {
                string address = Given.Text(row, "IPAddress");
                string state = Given.Text(row, "AddressState").ToLowerInvariant();
                return Guest.IsIPv4(address)
                    && !HostTables.Covers("169.254.0.0/16", address) && !HostTables.Covers("127.0.0.0/8", address)
                    && new[] { "", "preferred", "4", "deprecated", "3" }.Contains(state);
            }

            private Own ToOwn(IDictionary row, HostTables tables)
            {
                string address = Given.Text(row, "IPAddress");
                string origin = Given.Text(row, "PrefixOrigin").ToLowerInvariant();
                bool stored = tables.StoredAddresses == null || tables.StoredAddresses.Any(
                    one => Given.Text(one, "IPAddress") == address && HostTables.Index(one) == Index);
                return new Own
                {
                    Nic = this,
                    Text = address,
                    Virtual = (origin == "manual" || origin == "1") && !stored,
                    Leased = origin == "dhcp" || origin == "3",
                };
            }

            private static bool IsAzures(IDictionary route)
            {
                string prefix = Given.Text(route, "DestinationPrefix");
                return prefix == Operation.ImdsPrefix || prefix == HostTables.WireServer + "/32";
            }

            private static bool IsDefault(IDictionary route)
            {
                return Given.Text(route, "DestinationPrefix") == "0.0.0.0/0" && NextHop(route).Length > 0;
            }

            // What is stored with an own address as next hop is on-link when in use.
            private bool IsStored(IDictionary route, HostTables tables)
            {
                return (tables.StoredRoutes ?? new List<IDictionary>()).Any(
                    one => HostTables.Index(one) == Index
                        && Given.Text(one, "DestinationPrefix") == Given.Text(route, "DestinationPrefix")
                        && (NextHop(one) == NextHop(route)
                            || (NextHop(route).Length == 0 && Addresses.Any(own => own.Text == NextHop(one)))));
            }

            private static string NextHop(IDictionary route)
            {
                string text = Given.Text(route, "NextHop");
                return text == "0.0.0.0" ? "" : text;
            }
        }
    }
}
