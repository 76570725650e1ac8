// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The proof: one real request to IMDS, and from which address it was answered. Twin of _routes/host/probe.py.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe
{
    using Map = Dictionary<string, object>;

    // Outcome: ok, busy (410, 429, 5xx), foreign (something else than IMDS answered) or a kind of TransportException.
    // LocalAddress: where the answer was received, "" without a connection. Interfaces: MAC address and IPv4 addresses
    // of each interface that IMDS knows, the primary one first.
    public sealed class ProbeAnswer
    {
        public string Outcome;
        public string Detail;
        public string LocalAddress = "";
        public List<KeyValuePair<string, List<string>>> Interfaces = new List<KeyValuePair<string, List<string>>>();

        // Why this is no proof for the NIC of that address and MAC; "" where it is one.
        public string Judge(string address, string mac)
        {
            if (Outcome != "ok" && Outcome != "busy")
            {
                return Detail;
            }
            if (address.Length > 0 && LocalAddress != address)
            {
                return "IMDS answered " + LocalAddress + ", not the primary address " + address;
            }
            if (Outcome == "ok" && mac.Length > 0 && Interfaces.All(entry => entry.Key != mac))
            {
                return "IMDS does not know the NIC " + mac + ": another machine's metadata?";
            }
            return "";
        }

        public Map AsMap()
        {
            return new Map
            {
                { "outcome", Outcome },
                { "detail", Detail },
                { "local_address", LocalAddress },
                { "interfaces", Interfaces.Select(entry => new object[] { entry.Key, entry.Value }).ToList() },
            };
        }
    }

    public sealed class Probe
    {
        // Known to every IMDS since 2017, so that no version ladder is needed.
        public const string Target = "/metadata/instance/network?api-version=2017-08-01";

        // Seconds between two tries.
        public const double Pause = 1;

        private readonly Settings settings;
        private readonly World world;

        public Probe(Settings settings, World world)
        {
            this.settings = settings;
            this.world = world;
        }

        // One request. source: address to bind to, or null for the system's own choice.
        public ProbeAnswer Ask(string source)
        {
            Request request = new Request
            {
                Host = settings.Host,
                Port = settings.Port,
                Target = Target,
                ConnectTimeout = settings.ConnectTimeout,
                ReadTimeout = settings.ReadTimeout,
                Timeout = settings.Timeout,
                Source = source,
            };
            request.Headers.Add(new KeyValuePair<string, string>("Metadata", "true"));
            request.Headers.Add(new KeyValuePair<string, string>("User-Agent", "imds.azure"));
            request.Headers.Add(new KeyValuePair<string, string>("Accept", "*/*"));
            Response response;
            try
            {
                response = world.Get(request);
            }
            catch (TransportException error)
            {
                return new ProbeAnswer
                {
                    Outcome = error.Kind,
                    Detail = error.Kind + ": " + error.Message,
                    LocalAddress = error.LocalAddress ?? "",
                };
            }
            ProbeAnswer answer = new ProbeAnswer { LocalAddress = response.LocalAddress };
            if (response.Status == 410 || response.Status == 429 || response.Status >= 500)
            {
                answer.Outcome = "busy";
                answer.Detail = "HTTP " + response.Status;
            }
            else if (response.Status == 200 && ReadInterfaces(response, answer))
            {
                answer.Outcome = "ok";
                answer.Detail = "HTTP 200";
            }
            else
            {
                answer.Outcome = "foreign";
                answer.Detail = "HTTP " + response.Status + " without the interfaces of a VM";
            }
            return answer;
        }

        // Ask until there is a proof: verified, outcome, detail, local_address, tries.
        public Map Prove(string address, string mac, long retries)
        {
            ProbeAnswer answer = null;
            string fault = "";
            long tries = 0;
            while (tries <= retries)
            {
                if (tries > 0)
                {
                    world.Sleep(Pause);
                }
                tries++;
                answer = Ask(null);
                fault = answer.Judge(address, mac);
                if (answer.Outcome == "ok")
                {
                    break;
                }
            }
            if (fault.Length > 0 && answer.Outcome != "ok" && Ask(address).Judge(address, mac).Length == 0)
            {
                fault += "; bound to " + address
                    + " it is answered, so the choice of the source or the route is wrong";
            }
            return new Map
            {
                { "verified", fault.Length == 0 },
                { "outcome", answer.Outcome },
                { "detail", fault.Length > 0 ? fault : answer.Detail },
                { "local_address", answer.LocalAddress },
                { "tries", tries },
            };
        }

        // False where the body does not hold them.
        private static bool ReadInterfaces(Response response, ProbeAnswer answer)
        {
            try
            {
                foreach (Map nic in ((List<object>)Member(Json.Read(Json.Decode(response.Body) ?? ""), "interface")))
                {
                    List<object> entries = (List<object>)Member(Member(nic, "ipv4"), "ipAddress");
                    List<string> addresses = entries
                        .Select(entry => Convert.ToString(Member(entry, "privateIpAddress"))).ToList();
                    string mac = NormalizeMac(Convert.ToString(Member(nic, "macAddress")));
                    answer.Interfaces.Add(new KeyValuePair<string, List<string>>(mac, addresses));
                }
                return true;
            }
            catch (JsonException)
            {
            }
            catch (DepthException)
            {
            }
            catch (SystemException)  // a part is missing, or of another type
            {
            }
            answer.Interfaces.Clear();
            return false;
        }

        // 000D3A.. and 00-0D-3A-.. as 00:0d:3a:..; "" for what is no MAC address.
        private static string NormalizeMac(string text)
        {
            string digits = Regex.Replace(text, "[-:.]", "").ToLowerInvariant();
            return Regex.IsMatch(digits, @"\A[0-9a-f]{12}\z") ? Regex.Replace(digits, "..(?!$)", "$0:") : "";
        }

        private static object Member(object map, string name)
        {
            return ((Map)map)[name];
        }
    }
}
