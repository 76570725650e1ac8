// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Runs the C# core for the tests. Reads requests, one line of JSON each, {"call": NAME, ...}, and answers each with one
// line. Documents and bodies come as Base64, so that any bytes may be in them.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Web.Script.Serialization;
using ansible_collections.imds.azure.plugins.module_utils._ImdsAttestModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFacts;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFactsModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsFields;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsInfoModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOutcome;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPaths;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteJournal;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTarget;
using ansible_collections.imds.azure.plugins.module_utils._ImdsSmbios;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static class Harness
    {
        private static readonly Dictionary<string, Func<Map, object>> Calls = new Dictionary<string, Func<Map, object>>
        {
            { "build", Build },
            { "classify", Classify },
            { "client", RunClient },
            { "default_address", arguments => Guest.DefaultAddress() },
            { "firmware", arguments => Platform.ReadFirmware() },
            { "get", Get },
            { "guest", RunGuest },
            { "hold_journal", HoldJournal },
            { "interfaces", arguments => Guest.Interfaces().Select(Shown).ToList() },
            { "json", ReadJson },
            { "module", RunModule },
            { "newest_versions", arguments => Retry.NewestVersions(Bytes(arguments, "body")) },
            { "nonce", ParseNonce },
            { "number", arguments => Text.Number(Text.ToDouble(arguments["value"]), (int)(long)arguments["digits"]) },
            { "path", ParsePath },
            { "probe", RunProbe },
            { "quote", arguments => Text.Quote(arguments["value"]) },
            { "release_journal", ReleaseJournal },
            { "route_answer", AnswerRouteCall },
            { "route_drop", DropRouteTask },
            { "route_start", StartRouteTask },
            { "same_machine", SameMachine },
            { "settings", ParseSettings },
            { "single", arguments => Text.ToDouble((float)(double)arguments["value"]) },
            { "smbios", ReadSmbios },
            { "snake", arguments => Facts.Snake((string)arguments["name"]) },
            { "step_down", StepDown },
            { "tables", Tables },
            { "wait", Wait },
            { "written", arguments => Encoding.ASCII.GetString(Transport.Written(ToRequest(arguments))) },
        };

        private static readonly Encoding Utf8 = new UTF8Encoding(false);
        private static readonly TextReader Input = new StreamReader(Console.OpenStandardInput(), Utf8);
        private static readonly TextWriter Output = new StreamWriter(Console.OpenStandardOutput(), Utf8)
        {
            AutoFlush = true,
        };
        private static readonly JavaScriptSerializer Serializer = new JavaScriptSerializer
        {
            MaxJsonLength = int.MaxValue, RecursionLimit = 200,
        };

        // The run of the route fix that is under way.
        private static RouteTask routeTask;
        private static IDisposable heldJournal;

        public static void Main()
        {
            for (string line = Input.ReadLine(); line != null; line = Input.ReadLine())
            {
                Map answer = new Map();
                try
                {
                    Map request = (Map)Json.Read(line);
                    answer["result"] = Calls[(string)request["call"]](request);
                }
                catch (Exception error)
                {
                    answer["exception"] = error.ToString();
                }
                Output.WriteLine(Serializer.Serialize(answer));
            }
        }

        // --- arguments -----------------------------------------------------------------------------------------------

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

        // Of the world only the network is real: waiting turns the clock, and the guest is told.
        private static World ToWorld(Map given)
        {
            double skipped = 0;
            return new World
            {
                Clock = () => Transport.Clock() + skipped,
                Sleep = seconds => skipped += seconds,
                Chance = () => 0,
                Firmware = () => Bytes(given, "firmware"),
                Interfaces = () => ToInterfaces(given),
                DefaultAddress = () => (string)Value(given, "default_address"),
            };
        }

        // --- calls ---------------------------------------------------------------------------------------------------

        private static object Tables(Map arguments)
        {
            Settings settings = new Settings();
            return new Map
            {
                { "reasons", Reasons.Table.Select(reason => new[] { reason.Code, reason.Meaning, reason.Remedy }) },
                {
                    "rules", Retry.Rules.ToDictionary(
                        entry => entry.Key,
                        entry => new object[] { entry.Value.Reason, entry.Value.Waits, entry.Value.Jitter })
                },
                { "by_status", Retry.ByStatus.ToDictionary(entry => entry.Key.ToString(), entry => entry.Value) },
                {
                    "connect_errors",
                    Transport.ConnectErrors.ToDictionary(entry => entry.Key.ToString(), entry => entry.Value)
                },
                { "instance", Versions.Instance },
                { "ladder", Versions.Ladder },
                { "since", new[] { Versions.LoadBalancerSince, Versions.AttestedSince, Versions.TagsListSince } },
                {
                    "roots", Paths.Roots.ToDictionary(
                        root => root.Whole, root => new object[] { root.Since, root.Root })
                },
                { "fields", Fields.Table.Select(field => new[] { field.Fact, field.Kind, field.Source, field.Since }) },
                { "containers", Fields.Containers },
                { "integers", Fields.Integers },
                { "booleans", Fields.Booleans },
                {
                    "clouds", Fields.Clouds.ToDictionary(
                        entry => entry.Key,
                        entry => new Map
                        {
                            { "resource_manager", entry.Value.ResourceManager },
                            { "active_directory", entry.Value.ActiveDirectory },
                            { "key_vault_suffix", entry.Value.KeyVaultSuffix },
                            { "storage_suffix", entry.Value.StorageSuffix },
                        })
                },
                { "kinds", Facts.Converters.Keys },
                { "reserved", Facts.Reserved },
                { "tag", Platform.AzureChassisAssetTag },
                { "endpoint", Options.Endpoint },
                { "settings", Shown(settings) },
                {
                    "limits", new object[]
                    {
                        Transport.MaxHead, Transport.MaxBody, Json.MaxDepth, Client.Pace, Client.ProbeTimeout,
                    }
                },
                { "version", Client.Version },
            };
        }

        private static object Classify(Map arguments)
        {
            return Retry.Classify(ToResponse(Part(arguments, "response")), (bool)arguments["root"]);
        }

        private static object SameMachine(Map arguments)
        {
            return Platform.SameMachine((string)arguments["vm_id"], Bytes(arguments, "firmware"));
        }

        private static Map Shown(Settings settings)
        {
            return new Map
            {
                { "address", new object[] { settings.Host, settings.Port } },
                { "api_version", settings.ApiVersion },
                { "detect", settings.Detect },
                { "chassis_asset_tag", settings.ChassisAssetTag },
                { "connect_timeout", settings.ConnectTimeout },
                { "read_timeout", settings.ReadTimeout },
                { "timeout", settings.Timeout },
                { "updating_timeout", settings.UpdatingTimeout },
                { "include_user_data", settings.IncludeUserData },
                { "include_public_keys", settings.IncludePublicKeys },
                { "load_balancer", settings.LoadBalancer },
                { "loopback", settings.Loopback },
            };
        }

        private static Map Shown(Interface entry)
        {
            return new Map
            {
                { "name", entry.Name }, { "mac", entry.Mac }, { "up", entry.Up }, { "addresses", entry.Addresses },
            };
        }

        private static object ParseSettings(Map arguments)
        {
            try
            {
                return new Map { { "settings", Shown(Options.Parse(new Hashtable(Part(arguments, "params")))) } };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ParseNonce(Map arguments)
        {
            try
            {
                return new Map { { "nonce", Options.Nonce((string)arguments["text"]) } };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ParsePath(Map arguments)
        {
            try
            {
                ImdsPath path = Paths.Parse((string)arguments["text"]);
                return new Map { { "path", new object[] { path.Whole, path.Since, path.Root } } };
            }
            catch (OptionException error)
            {
                return new Map { { "error", error.Message } };
            }
        }

        private static object ReadJson(Map arguments)
        {
            string text = Json.Decode(Bytes(arguments, "body"));
            try
            {
                return new Map { { "valid", text != null }, { "content", text == null ? null : Json.Read(text) } };
            }
            catch (JsonException error)
            {
                return new Map { { "valid", false }, { "error", error.Message } };
            }
            catch (DepthException)
            {
                return new Map { { "valid", false }, { "error", "depth" } };
            }
        }

        private static object StepDown(Map arguments)
        {
            IEnumerable<string> offered = ((List<object>)arguments["offered"]).Cast<string>();
            return Versions.StepDown((string)arguments["refused"], offered, (string)arguments["since"]);
        }

        // Infinity is no JSON.
        private static object Wait(Map arguments)
        {
            double? wait = Retry.Wait(
                (string)arguments["outcome"],
                (int)(long)arguments["tries"],
                (string)arguments["retry_after"],
                Text.ToDouble(arguments["chance"]));
            return wait != null && double.IsInfinity(wait.Value) ? (object)"infinity" : wait;
        }

        private static object Build(Map arguments)
        {
            Map given = Part(arguments, "context");
            Context context = new Context
            {
                Devices = Strings(Part(given, "devices")),
                DefaultDevice = (string)Value(given, "default_device"),
                LocalAddress = (string)Value(given, "local_address"),
                IncludeUserData = true.Equals(Value(given, "include_user_data")),
                IncludePublicKeys = true.Equals(Value(given, "include_public_keys")),
            };
            List<string> warnings = new List<string>();
            Map document = (Map)Json.Read(Json.Decode(Bytes(arguments, "document")));
            return new Map { { "facts", Facts.Build(document, context, warnings) }, { "warnings", warnings } };
        }

        private static object ReadSmbios(Map arguments)
        {
            byte[] raw = Bytes(arguments, "raw");
            byte[] uuid = Smbios.SystemUuid(raw);
            return new Map
            {
                {
                    "structures", Smbios.Structures(raw).Select(
                        entry => new object[] { entry.Type, entry.Formatted.Length, entry.Strings })
                },
                { "tag", Smbios.ChassisAssetTag(raw) },
                { "uuid", uuid == null ? null : Convert.ToBase64String(uuid) },
            };
        }

        private static object RunGuest(Map arguments)
        {
            List<Interface> interfaces = ToInterfaces(arguments);
            return new Map
            {
                { "devices", Guest.Devices(interfaces) },
                { "addresses", Guest.Addresses(interfaces) },
                { "device_of", Guest.DeviceOf(interfaces, (string)Value(arguments, "address")) },
            };
        }

        private static object Get(Map arguments)
        {
            try
            {
                Response response = Transport.Get(ToRequest(arguments));
                return new Map
                {
                    { "status", response.Status },
                    { "headers", response.Headers },
                    { "body", Convert.ToBase64String(response.Body) },
                    { "local_address", response.LocalAddress },
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
                };
            }
        }

        // A client in a world with its own clock, whose IMDS gives the answers of a list.
        private static object RunClient(Map arguments)
        {
            ScriptedWorld scripted = new ScriptedWorld(Parts(arguments, "answers").ToList());
            World world = ToWorld(arguments);
            world.Get = scripted.Get;
            world.Clock = () => scripted.Now;
            world.Sleep = scripted.Sleep;
            Client client = new Client(Options.Parse(new Hashtable(Part(arguments, "params"))), world);
            string path = (string)arguments["path"];
            Map result = new Map();
            try
            {
                Answer answer = path == "instance" ? client.Instance()
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
            return result;
        }

        private static object RunModule(Map arguments)
        {
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            World world = ToWorld(arguments);
            string name = (string)arguments["name"];
            Outcome outcome = name == "azure_imds_facts" ? FactsModule.Run(parameters, world)
                : name == "azure_imds_info" ? InfoModule.Run(parameters, world)
                : AttestModule.Run(parameters, world);
            return new Map
            {
                { "result", outcome.Result }, { "warnings", outcome.Warnings }, { "failure", outcome.Failure },
            };
        }

        private static object RunProbe(Map arguments)
        {
            ScriptedWorld scripted = new ScriptedWorld(Parts(arguments, "answers").ToList());
            World world = ToWorld(arguments);
            world.Get = scripted.Get;
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

        // --- the route fix: a dialogue -------------------------------------------------------------------------------

        private static object StartRouteTask(Map arguments)
        {
            World world = ToWorld(arguments);
            world.Get = AskTheTest;
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            bool checkMode = (bool)arguments["check_mode"];
            routeTask = RouteTask.Start(parameters, checkMode, world, (string)arguments["journal"]);
            return NextRouteCall();
        }

        private static object AnswerRouteCall(Map arguments)
        {
            foreach (Map row in Parts(arguments, "rows"))
            {
                routeTask.Call.Add(new Hashtable(row));
            }
            Map error = (Map)Value(arguments, "error");
            if (error != null)
            {
                routeTask.Call.Fail((string)error["id"], (string)error["category"], (string)error["message"]);
            }
            return NextRouteCall();
        }

        // What is left where the process is killed.
        private static object DropRouteTask(Map arguments)
        {
            routeTask.Dispose();
            return true;
        }

        // What another run does meanwhile.
        private static object HoldJournal(Map arguments)
        {
            heldJournal = new Journal((string)arguments["journal"]).Alone();
            return true;
        }

        private static object ReleaseJournal(Map arguments)
        {
            heldJournal.Dispose();
            return true;
        }

        private static object NextRouteCall()
        {
            return routeTask.Next()
                ? new Map { { "call", routeTask.Call.Name }, { "parameters", routeTask.Call.Parameters } }
                : new Map { { "result", routeTask.Result }, { "failure", routeTask.Failure } };
        }

        // A request in the middle of a call: the test answers it with a line of its own.
        private static Response AskTheTest(Request request)
        {
            Output.WriteLine(Serializer.Serialize(new Map { { "ask", request } }));
            Map answer = (Map)Json.Read(Input.ReadLine());
            if (answer.ContainsKey("kind"))
            {
                throw new TransportException((string)answer["kind"], (string)answer["detail"], null);
            }
            return ToResponse(answer);
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
                        (bool)answer["silent"]);
                }
                return ToResponse(answer);
            }
        }
    }
}
