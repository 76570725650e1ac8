// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Carries out one operation of a plan. Repeating one, or undoing one that was never done, is no error. Twin of
// _routes/host/operations.py; _routes/steps.py documents the operations.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations
{
    using Map = Dictionary<string, object>;

    public sealed class Operation
    {
        public const string ImdsPrefix = "169.254.169.254/32";

        public string Action;
        public string Prefix = "";
        public long InterfaceIndex;
        public string NextHop = "";
        public long Metric;
        public string Store = "";
        public string Address = "";
        public bool Skip;

        // Throws HostException for anything else than an operation on the host route of IMDS.
        public static Operation From(IDictionary given)
        {
            return new Operation
            {
                Action = Given.Text(given, "action"),
                Prefix = Given.Text(given, "prefix"),
                InterfaceIndex = Given.Whole(given, "interface_index"),
                NextHop = Given.Text(given, "next_hop"),
                Metric = Given.Whole(given, "metric"),
                Store = Given.Text(given, "store"),
                Address = Given.Text(given, "address"),
                Skip = Given.Flag(given, "skip"),
            }.Checked();
        }

        // One line of text; FromLine reads it.
        public string ToLine()
        {
            string index = InterfaceIndex.ToString(CultureInfo.InvariantCulture);
            string metric = Metric.ToString(CultureInfo.InvariantCulture);
            return string.Join("\t", Action, Prefix, index, NextHop, metric, Store, Address, Skip ? "skip" : "");
        }

        // Throws HostException, like From.
        public static Operation FromLine(string line)
        {
            string[] parts = line.Split('\t');
            long index = 0, metric = 0;
            if (parts.Length != 8 || !long.TryParse(parts[2], out index) || !long.TryParse(parts[4], out metric))
            {
                throw new HostException("no operation: " + line);
            }
            return new Operation
            {
                Action = parts[0],
                Prefix = parts[1],
                InterfaceIndex = index,
                NextHop = parts[3],
                Metric = metric,
                Store = parts[5],
                Address = parts[6],
                Skip = parts[7] == "skip",
            }.Checked();
        }

        private Operation Checked()
        {
            string[] stores = Action == "add" ? new[] { "active", "both" } : new[] { "active", "persistent" };
            bool isRoute = Prefix == ImdsPrefix && NextHop.Length > 0 && stores.Contains(Store);
            bool known = Action == "skip_as_source"
                ? Address.Length > 0
                : isRoute && (Action == "add" || Action == "remove" || Action == "set_metric");
            if (!known || InterfaceIndex <= 0)
            {
                throw new HostException("no such operation on Windows: " + ToLine().Replace('\t', ' '));
            }
            return this;
        }
    }

    // How to look at the two stores, and which of their rows concern IMDS.
    public static class Stores
    {
        public static readonly Dictionary<string, string> Names = new Dictionary<string, string>
        {
            { "active", "ActiveStore" }, { "persistent", "PersistentStore" },
        };

        public static Call Look(string store)
        {
            return new Call("Get-NetRoute", new Map { { "PolicyStore", Names[store] } });
        }

        public static Call LookAtAddresses(string store)
        {
            return new Call("Get-NetIPAddress", new Map { { "PolicyStore", Names[store] } });
        }

        public static IEnumerable<IDictionary> HostRoutes(Call look)
        {
            return look.Rows.Cast<IDictionary>()
                .Where(row => Given.Text(row, "DestinationPrefix") == Operation.ImdsPrefix);
        }

        // The same as lines to show and to compare, in their order as text.
        public static List<string> Lines(Call look, string store)
        {
            return HostRoutes(look).Select(row => Line(row, store))
                .OrderBy(line => line, StringComparer.Ordinal).ToList();
        }

        private static string Line(IDictionary row, string store)
        {
            return Given.Text(row, "DestinationPrefix") + " via " + Given.Text(row, "NextHop") + " on interface "
                + Given.Whole(row, "InterfaceIndex") + " metric " + Given.Whole(row, "RouteMetric") + " " + store;
        }

        // The row of the operation's key, or null.
        public static IDictionary Find(Call look, Operation operation)
        {
            return HostRoutes(look).FirstOrDefault(
                row => Given.Whole(row, "InterfaceIndex") == operation.InterfaceIndex
                    && Given.Text(row, "NextHop") == operation.NextHop);
        }
    }

    public static class Operations
    {
        // What went wrong is added to the errors.
        public static IEnumerable<Call> Carry(Operation operation, List<string> errors)
        {
            switch (operation.Action)
            {
                case "add":
                    return Add(operation, errors);
                case "skip_as_source":
                    return Change(new Call("Set-NetIPAddress", new Map
                    {
                        { "IPAddress", operation.Address },
                        { "InterfaceIndex", operation.InterfaceIndex },
                        { "SkipAsSource", operation.Skip },
                    }), errors);
                default:
                    return ChangeRow(operation, errors);
            }
        }

        private static Map Key(Operation operation)
        {
            return new Map
            {
                { "DestinationPrefix", operation.Prefix },
                { "InterfaceIndex", operation.InterfaceIndex },
                { "NextHop", operation.NextHop },
                { "RouteMetric", operation.Metric },
                { "PolicyStore", operation.Store == "both" ? "" : Stores.Names[operation.Store] },
            };
        }

        private static IEnumerable<Call> Change(Call call, List<string> errors)
        {
            yield return call;
            if (call.Broken)
            {
                errors.Add(call.Problem);
            }
        }

        // Only where the row is there: without rights, a needless removal would be refused.
        private static IEnumerable<Call> ChangeRow(Operation operation, List<string> errors)
        {
            Call look = Stores.Look(operation.Store);
            yield return look;
            if (!look.Broken && Stores.Find(look, operation) == null)
            {
                yield break;
            }
            string cmdlet = operation.Action == "remove" ? "Remove-NetRoute" : "Set-NetRoute";
            foreach (Call call in Change(new Call(cmdlet, Key(operation)), errors))
            {
                yield return call;
            }
        }

        // New-NetRoute refuses an existing row with error 87, which stands for any wrong parameter. So the tables are
        // read before and after: a row that is there as wanted is no failure.
        private static IEnumerable<Call> Add(Operation operation, List<string> errors)
        {
            string[] stores = operation.Store == "both" ? new[] { "active", "persistent" } : new[] { operation.Store };
            Call add = new Call("New-NetRoute", Key(operation));
            for (int time = 0; time < 2; time++)
            {
                int wanted = 0;
                foreach (string store in stores)
                {
                    Call look = Stores.Look(store);
                    yield return look;
                    IDictionary row = Stores.Find(look, operation);
                    wanted += row != null && Given.Whole(row, "RouteMetric") == operation.Metric ? 1 : 0;
                }
                if (wanted == stores.Length)
                {
                    yield break;
                }
                if (time == 0)
                {
                    yield return add;
                    if (!add.Failed)
                    {
                        yield break;
                    }
                }
            }
            errors.Add(add.Problem);
        }
    }
}
