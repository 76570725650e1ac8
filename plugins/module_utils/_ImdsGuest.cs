// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the guest itself knows about its network, twin of _imds/guest.py; and the world, which is everything outside the
// core that it uses.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Threading;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsGuest
{
    // Name: the alias, as Get-NetAdapter shows it. Mac: lower case, colons. Addresses: IPv4 and IPv6.
    public sealed class Interface
    {
        public string Name;
        public string Mac;
        public bool Up;
        public List<string> Addresses = new List<string>();
    }

    public static class Guest
    {
        // A lookup of the route to an address reserved for documentation; nothing is sent there.
        private static readonly IPEndPoint Elsewhere = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 9);

        // MAC -> alias. With accelerated networking two interfaces share a MAC: the virtual function has no address, so
        // the other one is meant.
        public static Dictionary<string, string> Devices(IEnumerable<Interface> interfaces)
        {
            return interfaces.Where(entry => !string.IsNullOrEmpty(entry.Mac) && entry.Mac != "00:00:00:00:00:00")
                .OrderBy(entry => entry.Addresses.Count == 0)
                .ThenBy(entry => !entry.Up)
                .ThenBy(entry => entry.Name, StringComparer.Ordinal)
                .GroupBy(entry => entry.Mac)
                .ToDictionary(group => group.Key, group => group.First().Name);
        }

        // The host's own IPv4 addresses except loopback. Those of 169.254.0.0/16 come last: a failover cluster has
        // one for itself, and IMDS answers none of them.
        public static List<string> Addresses(IEnumerable<Interface> interfaces)
        {
            return interfaces.SelectMany(entry => entry.Addresses)
                .Where(address => !address.Contains(":") && !address.StartsWith("127.", StringComparison.Ordinal))
                .OrderBy(address => address.StartsWith("169.254.", StringComparison.Ordinal))
                .Distinct().ToList();
        }

        // The alias of the interface that has an address, or null.
        public static string DeviceOf(IEnumerable<Interface> interfaces, string address)
        {
            return interfaces.Where(entry => entry.Addresses.Contains(address))
                .Select(entry => entry.Name).FirstOrDefault();
        }

        // The place of the interface that received the answer, or -1: IMDS answers only the primary one, and lists it
        // anywhere. interfaces: the private IPv4 addresses of each, in IMDS' order. Twin of _imds/primary.py; facts and
        // route fix share it.
        public static int AnsweredInterface(IEnumerable<IEnumerable<string>> interfaces, string localAddress)
        {
            return string.IsNullOrEmpty(localAddress)
                ? -1
                : interfaces.ToList().FindIndex(addresses => addresses.Contains(localAddress));
        }

        public static bool IsIPv4(string text)
        {
            IPAddress address;
            return IPAddress.TryParse(text, out address) && address.AddressFamily == AddressFamily.InterNetwork
                && address.ToString() == text;
        }

        // Empty if the system does not tell.
        public static List<Interface> Interfaces()
        {
            try
            {
                return NetworkInterface.GetAllNetworkInterfaces().Select(Describe).ToList();
            }
            catch (NetworkInformationException)
            {
                return new List<Interface>();
            }
        }

        // A file's text, or null where it can't be read.
        public static string ReadText(string path)
        {
            try
            {
                return File.ReadAllText(path);
            }
            catch (SystemException)  // it is not there, or not for this user
            {
                return null;
            }
        }

        // The address from which the IPv4 default route would be taken, or null. A datagram socket that is connected
        // has chosen its source, and sends nothing.
        public static string DefaultAddress()
        {
            try
            {
                using (Socket socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
                {
                    socket.Connect(Elsewhere);
                    return ((IPEndPoint)socket.LocalEndPoint).Address.ToString();
                }
            }
            catch (SocketException)
            {
                return null;
            }
        }

        private static Interface Describe(NetworkInterface entry)
        {
            return new Interface
            {
                Name = entry.Name,
                Mac = Text.Mac(entry.GetPhysicalAddress().ToString()),
                Up = entry.OperationalStatus == OperationalStatus.Up,
                Addresses = entry.GetIPProperties().UnicastAddresses
                    .Select(unicast => unicast.Address.ToString()).ToList(),
            };
        }
    }

    // The real world, unless a test replaces it.
    public sealed class World
    {
        public Func<Request, Response> Exchange = Transport.Exchange;
        // Seconds.
        public Func<double> Clock = Transport.Clock;
        // Seconds since 1970, by the guest's clock.
        public Func<double> Now = () => (DateTime.UtcNow - new DateTime(1970, 1, 1)).TotalSeconds;
        public Action<double> Sleep = seconds => Thread.Sleep(TimeSpan.FromSeconds(seconds));
        // Runs something in the background. The process does not wait for it in the end.
        public Action<Action> Start = work => new Thread(() => work()) { IsBackground = true }.Start();
        // A random number from 0 to 1.
        public Func<double> Chance = () => new Random().NextDouble();
        public Func<byte[]> Firmware = Platform.ReadFirmware;
        public Func<List<Interface>> Interfaces = Guest.Interfaces;
        public Func<string> DefaultAddress = Guest.DefaultAddress;
        public Func<string, string> ReadText = Guest.ReadText;
        public Func<string, string> Environment = System.Environment.GetEnvironmentVariable;
        public Func<System.Environment.SpecialFolder, string> Folder = System.Environment.GetFolderPath;
        // Rows about disks and adapters, in JSON. Only PowerShell can read them.
        public Func<string> Devices = () => "{}";
    }
}
