// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the tests hand over, as the types of the core.

using System;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static object Value(Map map, string name)
        {
            object value;
            return map.TryGetValue(name, out value) ? value : null;
        }

        private static Map Part(Map map, string name)
        {
            return Value(map, name) as Map ?? new Map();
        }

        private static IEnumerable<Map> Parts(Map map, string name)
        {
            return (Value(map, name) as List<object> ?? new List<object>()).Cast<Map>();
        }

        private static byte[] Bytes(Map map, string name)
        {
            string text = (string)Value(map, name);
            return text == null ? null : Convert.FromBase64String(text);
        }

        private static Dictionary<string, string> Strings(Map map)
        {
            return map.ToDictionary(entry => entry.Key, entry => (string)entry.Value);
        }

        private static Response ToResponse(Map given)
        {
            return new Response
            {
                Status = (int)(long)given["status"],
                Headers = Strings(Part(given, "headers")),
                Body = Bytes(given, "body"),
                LocalAddress = (string)Value(given, "local_address"),
                Peer = (string)Value(given, "peer") ?? "",
            };
        }

        private static Request ToRequest(Map given)
        {
            Request request = new Request
            {
                Host = (string)given["host"],
                Port = (int)(long)given["port"],
                Target = (string)given["target"],
                ConnectTimeout = Text.ToDouble(given["connect_timeout"]),
                ReadTimeout = Text.ToDouble(given["read_timeout"]),
                Timeout = Text.ToDouble(given["timeout"]),
                Source = (string)Value(given, "source"),
                InterfaceIndex = (long)(Value(given, "interface_index") ?? 0L),
                Body = Bytes(given, "body"),
            };
            request.Headers.AddRange(Strings(Part(given, "headers")));
            return request;
        }

        private static List<Interface> ToInterfaces(Map given)
        {
            return Parts(given, "interfaces").Select(entry => new Interface
            {
                Name = (string)entry["name"],
                Mac = (string)entry["mac"],
                Up = (bool)entry["up"],
                Addresses = ((List<object>)entry["addresses"]).Cast<string>().ToList(),
            }).ToList();
        }

        // Since 1970.
        private static double Seconds()
        {
            return new World().Now();
        }

        // A disk with accounts and access control lists, which are given, and kept as the core sets them.
        private static Disk ToDisk(Map given)
        {
            Map disk = Part(given, "disk");
            return disk.Count == 0 ? new Disk() : new ToldDisk(disk);
        }

        // Of the world only the network is real: waiting turns the clock, and the guest is told.
        private static World ToWorld(Map given)
        {
            double skipped = 0;
            return new World
            {
                Clock = () => Transport.Clock() + skipped,
                Sleep = seconds =>
                {
                    skipped += seconds;
                    CountSleep();
                },
                Start = work => work(),
                Now = () => Text.ToDouble(Value(given, "now") ?? Seconds()),
                Chance = () => 0,
                Firmware = () => Bytes(given, "firmware"),
                Interfaces = () => ToInterfaces(given),
                DefaultAddress = () => (string)Value(given, "default_address"),
                Environment = name => (string)Value(Part(given, "environment"), name),
                Folder = folder => (string)Value(Part(given, "folders"), folder.ToString()) ?? "",
                Devices = () => (string)Value(given, "devices") ?? "{}",
                ReadText = path => (string)Value(Part(given, "files"), path.Replace('\\', '/')),
            };
        }

        // The same, but clock, pauses and IMDS are the test's.
        private static World ToAskingWorld(Map given)
        {
            World world = ToWorld(given);
            world.Exchange = AskTheTest;
            world.Clock = () => Text.ToDouble(Ask("clock", null)["now"]);
            world.Sleep = seconds => Ask("sleep", seconds);
            return world;
        }
    }
}
