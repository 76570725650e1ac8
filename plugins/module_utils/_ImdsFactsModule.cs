// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_facts_windows between its parameters and its result: detect, ask, build. Twin of azure_imds_facts.py and
// _imds/gather.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDevices;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFacts;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsFactsModule
{
    using Map = Dictionary<string, object>;

    public static class FactsModule
    {
        // devices: Get-ImdsDeviceRow of _ImdsDevices.psm1, which is called only where IMDS has answered.
        public static Outcome Run(IDictionary parameters, Func<string> devices)
        {
            return Run(parameters, new World { Devices = devices });
        }

        public static Outcome Run(IDictionary parameters, World world)
        {
            Outcome outcome = new Outcome();
            Map fact;
            try
            {
                fact = Gathering.Gather(Options.Parse(parameters), world, outcome.Warnings);
            }
            catch (OptionException error)
            {
                outcome.Failure = error.Message;
                return outcome;
            }
            if (true.Equals(parameters["required"]) && false.Equals(fact["available"]))
            {
                Map meta = (Map)fact["meta"];
                outcome.Failure = "No facts from IMDS: " + meta["message"] + " " + fact["remedy"];
                outcome.Result["reason"] = fact["reason"];
                outcome.Result["remedy"] = fact["remedy"];
                outcome.Result["attempts"] = meta["attempts"];
                outcome.Result["meta"] = Outcome.Meta();
                return outcome;
            }
            outcome.Result["ansible_facts"] = new Map { { "azure_imds", fact } };
            return outcome;
        }
    }

    public static class Gathering
    {
        private const string TimeFormat = "yyyy-MM-dd'T'HH':'mm':'ss'Z'";

        // The azure_imds fact. A miss is not an error: available is then false, and reason says why.
        public static Map Gather(Settings settings, World world, List<string> warnings)
        {
            double started = world.Clock();
            Detection detection = Platform.Detect(settings.ChassisAssetTag, world.Firmware);
            bool asked = detection.Azure == true || settings.Forced;
            Map fact = asked ? Ask(settings, world, warnings) : Unavailable(Platform.Miss(detection));
            Map meta = (Map)fact["meta"];
            meta["elapsed"] = Math.Round(world.Clock() - started, 3);
            meta["detection"] = new Map
            {
                { "azure", detection.Azure },
                { "chassis_asset_tag", detection.ChassisAssetTag },
                { "source", detection.Source },
                { "mode", settings.Detect },
            };
            return fact;
        }

        // The azure_imds fact of a host that has none, complete and of the usual shape.
        private static Map Unavailable(ImdsException error)
        {
            Map blank = Facts.Build(new Map(), new Context(), new List<string>());
            return Fact(error.Reason.Code, error.Detail, null, blank);
        }

        private static Map Fact(string code, string detail, string apiVersion, Map built)
        {
            ImdsReason reason = Reasons.ByCode[code];
            Map fact = new Map
            {
                { "available", code == "ok" },
                { "reason", code },
                { "remedy", code == "ok" ? null : reason.Remedy },
                { "api_version", apiVersion },
            };
            foreach (KeyValuePair<string, object> entry in built)
            {
                fact[entry.Key] = entry.Value;
            }
            fact["meta"] = new Map
            {
                { "message", reason.Meaning + (detail.Length > 0 ? " (" + Text.Printable(detail) + ")" : "") },
                { "requests", 0L },
                { "elapsed", 0.0 },
                { "attempts", new List<object>() },
                { "detection", new Map() },
                {
                    "disks",
                    new Map
                    {
                        { "reason", "not_read" }, { "message", "Disks are only read where IMDS has answered." },
                    }
                },
                { "delivery", Outcome.Delivery },
                { "collected_at", DateTime.UtcNow.ToString(TimeFormat, CultureInfo.InvariantCulture) },
            };
            return fact;
        }

        private static Map Ask(Settings settings, World world, List<string> warnings)
        {
            Client client = new Client(settings, world);
            warnings.AddRange(Versions.Doubts(settings.ApiVersion));
            Map fact;
            try
            {
                ImdsAnswer answer = client.Instance();
                Map document = (Map)answer.Content;
                Map rows = Json.Parse(world.Devices()) as Map;
                Map built = Facts.Build(document, Known(settings, world, answer, rows), warnings);
                if (settings.LoadBalancer && built["public_ip"] == null)
                {
                    AddLoadBalancer(built, client, warnings);
                }
                bool listed = Facts.Lookup(document, "compute.storageProfile.dataDisks") is List<object>;
                Map unread = Disks.Add((Map)built["storage"], rows, listed, warnings);
                fact = Fact("ok", "", answer.ApiVersion, built);
                ((Map)fact["meta"])["disks"] = unread;
            }
            catch (ImdsException error)
            {
                fact = Unavailable(error);
            }
            Map meta = (Map)fact["meta"];
            meta["requests"] = (long)client.Requests;
            meta["attempts"] = client.Attempts;
            warnings.AddRange(client.LongWaits());
            return fact;
        }

        private static Context Known(Settings settings, World world, ImdsAnswer answer, Map rows)
        {
            List<Interface> interfaces = world.Interfaces();
            return new Context
            {
                Nics = Nics.Find(Guest.Devices(interfaces), rows),
                DefaultDevice = Guest.DeviceOf(interfaces, world.DefaultAddress()),
                LocalAddress = answer.LocalAddress,
                IncludeUserData = settings.IncludeUserData,
                IncludePublicKeys = settings.IncludePublicKeys,
            };
        }

        private static void AddLoadBalancer(Map built, Client client, List<string> warnings)
        {
            try
            {
                Map document = (Map)client.LoadBalancer().Content;
                string address = Facts.LoadBalancerAddress(document, (string)built["private_ip"]);
                built["public_ip"] = address;
                built["public_ip_source"] = address == null ? null : "load_balancer";
            }
            catch (ImdsException error)
            {
                if (error.Reason.Code != "not_found")  // not_found: behind no load balancer, a plain answer
                {
                    warnings.Add("The load balancer endpoint gave no public address: " + error.Explanation);
                }
            }
        }
    }
}
