// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// All that the core touches of the world: the real one, unless a test puts in its own.

using System;
using System.Collections.Generic;
using System.Threading;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsWorld
{
    public sealed class World
    {
        public Func<Request, Response> Get = Transport.Get;
        // Seconds.
        public Func<double> Clock = Transport.Clock;
        public Action<double> Sleep = seconds => Thread.Sleep(TimeSpan.FromSeconds(seconds));
        // A random number from 0 to 1.
        public Func<double> Chance = () => new Random().NextDouble();
        public Func<byte[]> Firmware = Platform.ReadFirmware;
        public Func<List<Interface>> Interfaces = Guest.Interfaces;
        public Func<string> DefaultAddress = Guest.DefaultAddress;
    }
}
