// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Calls that ask something of a world: the network's, or a scripted one.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsAttestModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFactsModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsInfoModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPaths;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe;
using ansible_collections.imds.azure.plugins.module_utils._ImdsSecretModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static object Get(Map arguments)
        {
            try
            {
                Response response = Transport.Exchange(ToRequest(arguments));
                return new Map
                {
                    { "status", response.Status },
                    { "headers", response.Headers },
                    { "body", Convert.ToBase64String(response.Body) },
                    { "local_address", response.LocalAddress },
                    { "peer", response.Peer },
                };
            }
            catch (TransportException error)
            {
                return new Map
                {
                    { "kind", error.Kind },
                    { "detail", error.Message },
                    { "local_address", error.LocalAddress },
                    { "silent", error.Silent },
                    { "peer", error.Peer },
                };
            }
        }

        // A client in a world with its own clock, whose IMDS gives the answers of a list.
        private static object RunClient(Map arguments)
        {
            ScriptedWorld scripted = new ScriptedWorld(Parts(arguments, "answers").ToList());
            World world = ToWorld(arguments);
            world.Exchange = scripted.Get;
            world.Clock = () => scripted.Now;
            world.Sleep = scripted.Sleep;
            Client client = new Client(Options.Parse(new Hashtable(Part(arguments, "params"))), world);
            string path = (string)arguments["path"];
            Map result = new Map();
            try
            {
                ImdsAnswer answer = path == "instance" ? client.Instance()
                    : path == "loadbalancer" ? client.LoadBalancer()
                    : path.StartsWith("attested ") ? client.Attested(Options.Nonce(path.Replace("attested ", "")))
                    : client.Fetch(Paths.Parse(path.Replace("fetch ", "")));
                result["answer"] = new[] { answer.Content, answer.ApiVersion, answer.LocalAddress };
            }
            catch (ImdsException error)
            {
                result["error"] = new[] { error.Reason.Code, error.Explanation };
            }
            result["attempts"] = client.Attempts;
            result["count"] = client.Requests;
            result["requests"] = scripted.Requests;
            result["sleeps"] = scripted.Sleeps;
            result["warnings"] = client.LongWaits();
            return result;
        }

        private static object RunModule(Map arguments)
        {
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            World world = true.Equals(Value(arguments, "asks")) ? ToAskingWorld(arguments) : ToWorld(arguments);
            string name = (string)arguments["name"];
            Disk disk = ToDisk(arguments);
            bool check = true.Equals(Value(arguments, "check"));
            bool diff = true.Equals(Value(arguments, "diff"));
            Outcome outcome = name == "azure_imds_facts" ? FactsModule.Run(parameters, world)
                : name == "azure_imds_info" ? InfoModule.Run(parameters, world)
                : name == "azure_imds_keyvault_secret" ? SecretModule.Run(parameters, check, world, disk)
                : name == "azure_imds_token" ? TokenModule.Run(parameters, check, diff, world, disk)
                : AttestModule.Run(parameters, world);
            return new Map
            {
                { "result", outcome.Result }, { "warnings", outcome.Warnings }, { "failure", outcome.Failure },
                { "disk", disk is ToldDisk ? ((ToldDisk)disk).Shown() : null },
                { "disk_log", disk is ToldDisk ? ((ToldDisk)disk).Log : null },
            };
        }

        private static object RunProbe(Map arguments)
        {
            ScriptedWorld scripted = new ScriptedWorld(Parts(arguments, "answers").ToList());
            World world = ToWorld(arguments);
            world.Exchange = scripted.Get;
            world.Sleep = scripted.Sleep;
            Probe probe = new Probe(Options.Parse(new Hashtable(Part(arguments, "params"))), world);
            string address = (string)arguments["address"];
            return new Map
            {
                { "proof", probe.Prove(address, (string)arguments["mac"], (long)arguments["retries"]) },
                { "requests", scripted.Requests },
                { "sleeps", scripted.Sleeps },
                { "asked", probe.Ask(null).AsMap() },
            };
        }

        // Twin of the tests' world.py.
        private sealed class ScriptedWorld
        {
            private readonly List<Map> answers;
            public double Now = 1000;
            public readonly List<object> Requests = new List<object>();
            public readonly List<object> Sleeps = new List<object>();

            public ScriptedWorld(List<Map> answers)
            {
                this.answers = answers;
            }

            public void Sleep(double seconds)
            {
                Sleeps.Add(seconds);
                Now += seconds;
            }

            public Response Get(Request request)
            {
                IEnumerable<string> names = request.Headers.Select(header => header.Key);
                Requests.Add(new object[] { Now, request.Target, request.Source, names });
                Map answer = answers[Math.Min(Requests.Count, answers.Count) - 1];
                double limit = Math.Min(request.ConnectTimeout + request.ReadTimeout, request.Timeout);
                double after = Text.ToDouble(answer["after"]);
                Now += Math.Min(after, limit);
                if (after > limit)
                {
                    throw new TransportException(
                        "read_timeout", "no complete answer", request.Source ?? (string)answer["address"], true);
                }
                if (answer.ContainsKey("kind"))
                {
                    throw new TransportException(
                        (string)answer["kind"],
                        (string)answer["detail"],
                        (string)answer["local_address"],
                        (bool)answer["silent"],
                        (string)Value(answer, "peer") ?? "");
                }
                return ToResponse(answer);
            }
        }
    }
}
