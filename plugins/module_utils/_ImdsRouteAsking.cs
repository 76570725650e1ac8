// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Finds the primary NIC by asking: Azure answers exactly one pair of address and NIC, so a request is sent from each
// candidate. Twin of _routes/host/asking.py.
//
// The unbound request comes first: it is what other programs send, and if it is answered, no other is needed.

using System;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteReply;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteAsking
{
    using Map = Dictionary<string, object>;

    // One IPv4 address of one interface.
    public sealed class Candidate
    {
        public readonly long InterfaceIndex;
        public readonly string Address;
        public readonly string Mac;

        // mac: "" where it is not known.
        public Candidate(long interfaceIndex, string address, string mac)
        {
            InterfaceIndex = interfaceIndex;
            Address = address;
            Mac = mac;
        }
    }

    public sealed class Asking
    {
        // Seconds between two starts: IMDS takes 5 requests per second from all programs of a VM together.
        public const double Pace = 0.25;

        // Seconds for all of them together.
        public const double Deadline = 4;

        // Seconds between two checks for replies.
        private const double Look = 0.02;

        private readonly Probe probe;
        private readonly World world;
        // The first one, null, is the unbound request.
        private readonly List<Candidate> order = new List<Candidate> { null };
        private readonly Dictionary<int, ImdsReply> arrived = new Dictionary<int, ImdsReply>();

        public Asking(Probe probe, World world, IEnumerable<Candidate> candidates)
        {
            this.probe = probe;
            this.world = world;
            order.AddRange(candidates);
        }

        // The candidate that IMDS answered; for the unbound request, the one with that address. Null if there is none.
        public Candidate Answered { get; private set; }

        // Ask unbound, then from each candidate, until one is answered. The requests overlap; one that is still pending
        // at the end is abandoned, and ends by its own timeouts.
        public Map Run()
        {
            double begin = world.Clock();
            double next = begin;
            int started = 0;
            Dictionary<int, ImdsReply> replies = Arrived();
            while (world.Clock() < begin + Deadline)
            {
                bool more = started < order.Count && !IsSettled(replies);
                if (more && world.Clock() >= next)
                {
                    next = world.Clock() + Pace;
                    Start(started++, begin + Deadline - world.Clock());
                }
                else if (!more && replies.ContainsKey(0) && (IsSettled(replies) || replies.Count == started))
                {
                    break;
                }
                else
                {
                    world.Sleep(Look);
                }
                replies = Arrived();
            }
            return Told(replies, started);
        }

        private void Start(int number, double seconds)
        {
            Candidate candidate = order[number];
            world.Start(() =>
            {
                ImdsReply reply;
                try
                {
                    reply = candidate == null
                        ? probe.Ask(null, 0, seconds)
                        : probe.Ask(candidate.Address, candidate.InterfaceIndex, seconds);
                }
                catch (Exception error)  // in a thread of its own it would end the process
                {
                    reply = new ImdsReply { Outcome = "no_route", Detail = "no_route: " + error.Message };
                }
                lock (arrived)
                {
                    arrived[number] = reply;
                }
            });
        }

        private Dictionary<int, ImdsReply> Arrived()
        {
            lock (arrived)
            {
                return new Dictionary<int, ImdsReply>(arrived);
            }
        }

        // Whether the primary pair is known, or asking can't tell it: behind the guest proxy agent nobody is bound.
        private bool IsSettled(Dictionary<int, ImdsReply> replies)
        {
            ImdsReply unbound;
            if (replies.TryGetValue(0, out unbound) && (unbound.ViaAgent || (unbound.Direct && Of(unbound) != null)))
            {
                return true;
            }
            return replies.Any(entry => entry.Key > 0 && entry.Value.Direct);
        }

        private Candidate Of(ImdsReply unbound)
        {
            return order.FirstOrDefault(one => one != null && one.Address == unbound.LocalAddress);
        }

        private Map Told(Dictionary<int, ImdsReply> replies, int started)
        {
            ImdsReply silence = new ImdsReply
            {
                Outcome = "read_timeout", Detail = "read_timeout: no answer within " + Deadline + " s",
            };
            bool settled = IsSettled(replies);
            List<object> bound = new List<object>();
            for (int number = 1; number < started; number++)
            {
                if (settled && !replies.ContainsKey(number))
                {
                    continue;
                }
                ImdsReply reply = replies.ContainsKey(number) ? replies[number] : silence;
                Answered = Answered ?? (reply.Direct ? order[number] : null);
                bound.Add(new Map
                {
                    { "interface", order[number].InterfaceIndex },
                    { "address", order[number].Address },
                    { "reply", reply.AsMap() },
                });
            }
            ImdsReply first = replies.ContainsKey(0) ? replies[0] : silence;
            Answered = Answered ?? (first.Direct ? Of(first) : null);
            Candidate likely = Answered ?? order.ElementAtOrDefault(1);
            // A team or a virtual switch has a MAC address that IMDS does not list; the vmId then tells whose answer
            // it is.
            probe.AddVmId(first, likely == null ? "" : likely.Mac, Pace);
            return new Map { { "unbound", first.AsMap() }, { "bound", bound } };
        }
    }
}
