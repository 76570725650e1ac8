// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What one request to IMDS came to, and what it proves. Pure. Twin of _routes/reply.py.

using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteReply
{
    using Map = Dictionary<string, object>;

    // Outcome: one of Answers (IMDS itself answered: ok, with the interfaces of a VM; busy; forbidden), agent_refused
    // (the guest proxy agent bars this program), agent_failed (it could not reach IMDS itself), foreign (something
    // other than this VM's IMDS answered), redirected, or a kind of TransportException. LocalAddress: where the reply
    // was received, "" without a connection. Interfaces: MAC address and IPv4 addresses of each interface that IMDS
    // knows; their order means nothing. Peer: IP:port that the connection really leads to, "" where unknown.
    // SameMachine: whether the vmId of IMDS is that of the firmware, null where nobody looked or could.
    public sealed class ImdsReply
    {
        public const string Imds = "169.254.169.254";

        // Where the guest proxy agent of the Metadata Security Protocol listens; the system redirects to it.
        public const string Agent = "127.0.0.1:3080";

        public static readonly string[] Answers = { "ok", "busy", "forbidden" };

        public string Outcome = "";
        public string Detail = "";
        public string LocalAddress = "";
        public List<KeyValuePair<string, List<string>>> Interfaces = new List<KeyValuePair<string, List<string>>>();
        public string Peer = "";
        public bool? SameMachine;

        // The guest proxy agent stood in between, which says nothing about routes and NICs.
        public bool ViaAgent
        {
            get { return Peer == Agent || Outcome == "agent_refused"; }
        }

        // IMDS itself answered this address.
        public bool Direct
        {
            get { return Answers.Contains(Outcome) && !ViaAgent && LocalAddress != Imds; }
        }

        // Neither a proof nor a failure: the agent let nothing through that names the VM.
        public bool Undecided
        {
            get { return Outcome == "agent_refused" || (ViaAgent && (Outcome == "busy" || Outcome == "forbidden")); }
        }

        public bool Knows(string mac)
        {
            return mac.Length == 0 || Interfaces.Any(entry => entry.Key == mac);
        }

        // Why this is no proof that the NIC of that address and MAC is served; "" where it is one.
        public string Judge(string address, string mac)
        {
            if (!Answers.Contains(Outcome))
            {
                return Detail;
            }
            if (LocalAddress == Imds && Outcome == "ok")
            {
                return "the host itself answers as IMDS";
            }
            if (ViaAgent)
            {
                bool ours = Outcome == "ok" && (Knows(mac) || SameMachine == true);
                return ours ? "" : Detail
                    + " through the guest proxy agent, which does not tell whether this VM is meant";
            }
            if (address.Length > 0 && LocalAddress != address)
            {
                return "IMDS answered " + LocalAddress + ", not the primary address " + address;
            }
            if (Outcome != "ok" || Knows(mac) || SameMachine == true)
            {
                return "";
            }
            int listed = Guest.AnsweredInterface(Interfaces.Select(entry => entry.Value), LocalAddress);
            bool fits = SameMachine == null && listed >= 0;
            return fits ? "" : "IMDS does not know the NIC " + mac + ": another machine's metadata?";
        }

        public Map AsMap()
        {
            return new Map
            {
                { "outcome", Outcome },
                { "detail", Detail },
                { "local_address", LocalAddress },
                { "interfaces", Interfaces.Select(entry => new object[] { entry.Key, entry.Value }).ToList() },
                { "peer", Peer },
                { "same_machine", SameMachine },
            };
        }
    }
}
