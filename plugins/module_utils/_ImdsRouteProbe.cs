// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// One real request to IMDS, and the proof: whether it is answered, and on which address. Twin of
// _routes/host/probe.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteReply;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe
{
    using Map = Dictionary<string, object>;

    public sealed class Probe
    {
        // Known to every IMDS since 2017, so that no version ladder is needed.
        public const string Target = "/metadata/instance/network?api-version=2017-08-01";
        public const string VmId = "/metadata/instance/compute/vmId?api-version=2017-08-01&format=text";

        // Seconds between two tries.
        public const double Pause = 1;

        // The guest proxy agent's mark on answers that it passes on.
        private const string PassedOn = "x-ms-azure-host-authorization";

        // The shortest time for a request, in seconds.
        private const double Least = 0.05;

        // What IMDS answers if the way to it works, but there is nothing to read at the moment.
        private static readonly string[] Busy = { "updating", "throttled", "server_error" };

        private readonly Settings settings;
        private readonly World world;

        public Probe(Settings settings, World world)
        {
            this.settings = settings;
            this.world = world;
        }

        // One request. source: address to bind to, or null for the system's own choice; index: of the interface to use
        // with it, or 0. seconds: for all of it, where that is less than the options give.
        public ImdsReply Ask(string source, long index = 0, double seconds = double.MaxValue)
        {
            Response response;
            try
            {
                response = Get(Target, source, index, seconds);
            }
            catch (TransportException error)
            {
                bool elsewhere = IsRedirected(error.Peer);
                return new ImdsReply
                {
                    Outcome = error.Kind,
                    Detail = error.Kind + ": " + error.Message + (elsewhere ? ", by " + error.Peer : ""),
                    LocalAddress = error.LocalAddress ?? "",
                    Peer = error.Peer,
                };
            }
            ImdsReply reply = ToReply(response);
            if (IsRefusalOfAgent(response))
            {
                reply.Outcome = "agent_refused";
                reply.Detail = "HTTP " + response.Status + " from " + ImdsReply.Agent;
            }
            else if (IsFailureOfAgent(response))
            {
                reply.Outcome = "agent_failed";
                reply.Detail = "HTTP " + response.Status + " from the guest proxy agent at " + ImdsReply.Agent
                    + ", which did not reach IMDS itself";
            }
            else if (response.Headers.ContainsKey(PassedOn))
            {
                reply.Peer = ImdsReply.Agent;
            }
            else if (IsRedirected(response.Peer) && response.Peer != ImdsReply.Agent)
            {
                reply.Outcome = "redirected";
                reply.Detail = "the host redirects connections to " + settings.Host + " to " + response.Peer + " ("
                    + reply.Detail + ")";
            }
            return reply;
        }

        // The guest proxy agent refuses without a word, and without the Server header that IMDS has.
        private static bool IsRefusalOfAgent(Response response)
        {
            bool wordless = (response.Status == 403 || response.Status == 421) && response.Body.Length == 0;
            bool throughIt = (response.Status == 401 || response.Status == 403 || response.Status == 421)
                && response.Peer == ImdsReply.Agent;
            return (wordless || throughIt) && response.Header("server").Length == 0;
        }

        // It says as little where it can't reach IMDS; its own connection follows the host's routes.
        private static bool IsFailureOfAgent(Response response)
        {
            bool wordless = response.Body.Length == 0 && response.Header("server").Length == 0
                && !response.Headers.ContainsKey(PassedOn);
            return response.Peer == ImdsReply.Agent && response.Status >= 500 && wordless;
        }

        // Ask until there is a proof: verified, undecided (neither a proof nor a failure), outcome, detail,
        // local_address, tries, and the reply, by which the controller judges anew.
        public Map Prove(string address, string mac, long retries)
        {
            ImdsReply reply = null;
            string fault = "";
            long tries = 0;
            while (tries <= retries)
            {
                if (tries > 0)
                {
                    world.Sleep(Pause);
                }
                tries++;
                reply = Ask(null);
                AddVmId(reply, mac);
                fault = reply.Judge(address, mac);
                if (reply.Outcome == "ok" || reply.Outcome == "agent_refused")
                {
                    break;
                }
            }
            if (fault.Length > 0 && reply.Outcome != "ok" && !reply.ViaAgent
                && Ask(address).Judge(address, mac).Length == 0)
            {
                fault += "; bound to " + address
                    + " it is answered, so the choice of the source or the route is wrong";
            }
            return new Map
            {
                { "verified", fault.Length == 0 },
                { "undecided", reply.Undecided },
                { "outcome", reply.Outcome },
                { "detail", fault.Length > 0 ? fault : reply.Detail },
                { "local_address", reply.LocalAddress },
                { "tries", tries },
                { "reply", reply.AsMap() },
            };
        }

        // If the document does not list the NIC, check whether the VM is the one that the firmware names. pause: how
        // many seconds to wait before a request is sent for that.
        public void AddVmId(ImdsReply reply, string mac, double pause = 0)
        {
            if (reply.Outcome != "ok" || reply.Knows(mac))
            {
                return;
            }
            if (pause > 0)
            {
                world.Sleep(pause);
            }
            try
            {
                Response response = Get(VmId, null, 0, double.MaxValue);
                if (Retry.Classify(response, true) == "ok")
                {
                    string vmId = (Json.Decode(response.Body) ?? "").Trim();
                    reply.SameMachine = Platform.SameMachine(vmId, world.Firmware());
                }
            }
            catch (TransportException)
            {
                // It stays unknown.
            }
        }

        private Response Get(string target, string source, long index, double seconds)
        {
            Request request = new Request
            {
                Host = settings.Host,
                Port = settings.Port,
                Target = target,
                ConnectTimeout = settings.ConnectTimeout,
                ReadTimeout = settings.ReadTimeout,
                Timeout = Math.Max(Math.Min(settings.Timeout, seconds), Least),
                Source = source,
                InterfaceIndex = index,
            };
            request.Headers.Add(new KeyValuePair<string, string>("Metadata", "true"));
            request.Headers.Add(new KeyValuePair<string, string>("User-Agent", "imds.azure"));
            request.Headers.Add(new KeyValuePair<string, string>("Accept", "*/*"));
            return world.Exchange(request);
        }

        // Whether the connection leads to another address than the one asked for.
        private bool IsRedirected(string peer)
        {
            string asked = settings.Host + ":" + settings.Port.ToString(CultureInfo.InvariantCulture);
            return !string.IsNullOrEmpty(peer) && peer != asked;
        }

        private static ImdsReply ToReply(Response response)
        {
            string kind = Retry.Classify(response, true);
            ImdsReply reply = new ImdsReply
            {
                Outcome = kind == "forbidden" ? kind : IsBusy(kind, response) ? "busy" : "foreign",
                Detail = "HTTP " + response.Status,
                LocalAddress = response.LocalAddress ?? "",
                Peer = response.Peer ?? "",
            };
            if (kind == "ok" && ReadInterfaces(response, reply))
            {
                reply.Outcome = "ok";
            }
            else if (kind == "ok")
            {
                reply.Detail = "HTTP 200 without the interfaces of a VM";
            }
            else if (reply.Outcome != "foreign" && reply.Peer != ImdsReply.Agent && !Retry.IsFromImds(response))
            {
                reply.Outcome = "foreign";
                reply.Detail = "HTTP " + response.Status + " that IMDS did not send";
            }
            return reply;
        }

        // Whether that is all. While it is updated, IMDS says 404 too, in JSON; other servers say it with a page.
        private static bool IsBusy(string kind, Response response)
        {
            bool json = response.Body.Length > 0 && response.Body[0] == '{';
            return Busy.Contains(kind) || (kind == "missing_root" && json);
        }

        // False where the body does not hold them, or not one IPv4 address.
        private static bool ReadInterfaces(Response response, ImdsReply reply)
        {
            try
            {
                Map document = (Map)Json.Parse(Json.Decode(response.Body) ?? "");
                object listed = document.ContainsKey("interface")
                    ? document["interface"]
                    : Member(Member(document, "network"), "interface");
                foreach (Map nic in (List<object>)listed)
                {
                    List<object> entries = (List<object>)Member(Member(nic, "ipv4"), "ipAddress");
                    List<string> addresses = entries
                        .Select(entry => Convert.ToString(Member(entry, "privateIpAddress"))).ToList();
                    string mac = NormalizeMac(Convert.ToString(Member(nic, "macAddress")));
                    reply.Interfaces.Add(new KeyValuePair<string, List<string>>(mac, addresses));
                }
                if (reply.Interfaces.Any(entry => entry.Value.Any(Guest.IsIPv4)))
                {
                    return true;
                }
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
            reply.Interfaces.Clear();
            return false;
        }

        // "" for what is no MAC address.
        private static string NormalizeMac(string text)
        {
            string mac = Text.Mac(text) ?? "";
            return Regex.IsMatch(mac, @"\A(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\z") ? mac : "";
        }

        private static object Member(object map, string name)
        {
            return ((Map)map)[name];
        }
    }
}
