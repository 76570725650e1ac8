// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The host's routes, addresses and interfaces, cut down to what can matter for IMDS: a host may have thousands. Pure.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTables
{
    using Map = Dictionary<string, object>;

    // The rows of the cmdlets; a part that could not be collected is null. Stored: in the persistent store. Counts: how
    // many there are in all.
    public sealed class HostTables
    {
        // The wire server, which DHCP gives a route as well.
        public const string WireServer = "168.63.129.16";

        private const int FewInterfaces = 100;
        private const int MostInterfaces = 400;
        private const int MostAddresses = 400;

        public readonly List<IDictionary> Routes;
        public readonly List<IDictionary> StoredRoutes;
        public readonly List<IDictionary> Addresses;
        public readonly List<IDictionary> StoredAddresses;
        public readonly List<IDictionary> Interfaces;
        public readonly List<IDictionary> Adapters;
        public readonly Map Counts;

        public HostTables(
            Call routes, Call storedRoutes, Call addresses, Call storedAddresses, Call interfaces, Call adapters)
        {
            Routes = Kept(routes, Covers);
            StoredRoutes = Kept(storedRoutes, Covers);
            HashSet<long> wanted = Wanted(addresses);
            bool few = interfaces.Rows.Count <= FewInterfaces;
            Func<IDictionary, bool> isWanted = row => few || wanted.Contains(Index(row));
            Addresses = Most(Kept(addresses, isWanted));
            HashSet<string> listed = new HashSet<string>((Addresses ?? new List<IDictionary>()).Select(AddressKey));
            StoredAddresses = Most(Kept(storedAddresses, row => listed.Contains(AddressKey(row))));
            Interfaces = Kept(interfaces, isWanted);
            HashSet<string> macs = new HashSet<string>(
                (Kept(adapters, isWanted) ?? new List<IDictionary>()).Select(row => Given.Text(row, "MacAddress"))
                    .Where(mac => mac.Length > 0));
            Adapters = Kept(adapters, row => isWanted(row) || macs.Contains(Given.Text(row, "MacAddress")));
            Counts = new Map
            {
                { "routes", routes.Rows.Count },
                { "interfaces", interfaces.Rows.Count },
                { "addresses", addresses.Rows.Count },
            };
        }

        public static long Index(IDictionary row)
        {
            long index = Given.Whole(row, "InterfaceIndex");
            return index > 0 ? index : Given.Whole(row, "ifIndex");
        }

        // Of the host's routes to IMDS in both stores, in the order of neither.
        public static string Digest(IEnumerable<string> lines)
        {
            string text = string.Join("\n", lines.OrderBy(line => line, StringComparer.Ordinal));
            using (SHA256 hash = SHA256.Create())
            {
                byte[] digest = hash.ComputeHash(Encoding.UTF8.GetBytes(text));
                return BitConverter.ToString(digest).Replace("-", "").ToLowerInvariant();
            }
        }

        // Whether a prefix holds an address; false for what is none.
        public static bool Covers(string prefix, string address)
        {
            string[] parts = prefix.Split('/');
            int length = 0;
            bool valid = parts.Length == 2 && Guest.IsIPv4(parts[0])
                && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out length) && length <= 32;
            if (!valid)
            {
                return false;
            }
            uint mask = length == 0 ? 0 : uint.MaxValue << (32 - length);
            return (Number(parts[0]) & mask) == (Number(address) & mask);
        }

        // Whether a route matters that is stored as destination,mask,gateway,metric.
        public static bool MattersStored(string name)
        {
            string[] parts = name.Split(',').Select(part => part.Trim()).ToArray();
            return parts.Length == 4 && Guest.IsIPv4(parts[0]) && Guest.IsIPv4(parts[1])
                && new[] { Operation.ImdsPrefix.Split('/')[0], WireServer }.Any(
                    address => (Number(address) & Number(parts[1])) == (Number(parts[0]) & Number(parts[1])));
        }

        private static uint Number(string address)
        {
            return IPAddress.Parse(address).GetAddressBytes()
                .Aggregate(0u, (number, part) => number << 8 | part);
        }

        private static bool Covers(IDictionary row)
        {
            string prefix = Given.Text(row, "DestinationPrefix");
            return Covers(prefix, Operation.ImdsPrefix.Split('/')[0]) || Covers(prefix, WireServer);
        }

        // Of many interfaces those that a route uses, and those with an address, as far as there is room.
        private HashSet<long> Wanted(Call addresses)
        {
            IEnumerable<IDictionary> routes = (Routes ?? new List<IDictionary>())
                .Concat(StoredRoutes ?? new List<IDictionary>());
            IEnumerable<long> indexes = routes.Concat(addresses.Rows.Cast<IDictionary>()).Select(Index).Distinct();
            return new HashSet<long>(indexes.Take(MostInterfaces));
        }

        private static string AddressKey(IDictionary row)
        {
            return Given.Text(row, "IPAddress") + " " + Index(row).ToString(CultureInfo.InvariantCulture);
        }

        private static List<IDictionary> Most(List<IDictionary> rows)
        {
            return rows == null ? null : rows.Take(MostAddresses).ToList();
        }

        private static List<IDictionary> Kept(Call call, Func<IDictionary, bool> matters)
        {
            return call.Broken ? null : call.Rows.Cast<IDictionary>().Where(matters).ToList();
        }
    }
}
