// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The route fix, which is a dialogue: it asks for cmdlets and requests, and the test answers them.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteAsking;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteJournal;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTarget;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        // The run of the route fix that is under way.
        private static RouteTask routeTask;
        private static IDisposable heldJournal;
        // What another program does not let us do with the journal, and for how many more sleeps.
        private static List<string> refused = new List<string>();
        private static long sleepsLeft;

        private static object StartRouteTask(Map arguments)
        {
            World world = ToWorld(arguments);
            world.Exchange = AskTheTest;
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            bool checkMode = (bool)arguments["check_mode"];
            Journal journal = new HeldJournal((string)arguments["journal"], world.Sleep);
            routeTask = RouteTask.Start(parameters, checkMode, world, journal);
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
            heldJournal = new Journal((string)arguments["journal"], seconds => { }).Alone();
            return true;
        }

        private static object ReleaseJournal(Map arguments)
        {
            heldJournal.Dispose();
            return true;
        }

        // What a virus scanner does. Mono does not: to it, an open file may be deleted.
        private static object HoldFile(Map arguments)
        {
            refused = ((List<object>)arguments["refused"]).Cast<string>().ToList();
            sleepsLeft = (long)arguments["sleeps"];
            return true;
        }

        private static void CountSleep()
        {
            if (--sleepsLeft == 0)
            {
                refused.Clear();
            }
        }

        private sealed class HeldJournal : Journal
        {
            public HeldJournal(string directory, Action<double> sleep) : base(directory, sleep)
            {
            }

            protected override bool Append(string line)
            {
                Refuse("append");
                return base.Append(line);
            }

            protected override bool Delete()
            {
                Refuse("delete");
                return base.Delete();
            }

            private static void Refuse(string what)
            {
                if (refused.Contains(what))
                {
                    throw new IOException("Der Prozess kann nicht auf die Datei zugreifen.");
                }
            }
        }

        // Candidates ask in a world whose clock only our sleeps turn. script: address, or "" for the unbound request, ->
        // what it is answered, and after how many seconds that arrives.
        private static object AskAround(Map arguments)
        {
            double now = 0;
            Map script = Part(arguments, "script");
            List<Candidate> candidates = Parts(arguments, "candidates")
                .Select(one => new Candidate((long)one["interface"], (string)one["address"], "")).ToList();
            List<object> started = new List<object>();
            List<object> requests = new List<object>();
            List<KeyValuePair<double, Action>> pending = new List<KeyValuePair<double, Action>>();
            World world = ToWorld(arguments);
            world.Clock = () => now;
            world.Start = work =>
            {
                string source = pending.Count == 0 ? "" : candidates[pending.Count - 1].Address;
                double after = Text.ToDouble(Part(script, source)["after"]);
                started.Add(new object[] { source, now });
                pending.Add(new KeyValuePair<double, Action>(now + after, work));
            };
            world.Sleep = seconds =>
            {
                double before = now;
                now += seconds;
                foreach (KeyValuePair<double, Action> one in pending.Where(one => one.Key > before && one.Key <= now))
                {
                    one.Value();
                }
            };
            world.Exchange = request =>
            {
                requests.Add(new object[] { request.Source, request.InterfaceIndex, request.Timeout });
                Map answer = Part(script, request.Source ?? "");
                if (answer.ContainsKey("kind"))
                {
                    throw new TransportException((string)answer["kind"], "as told");
                }
                return ToResponse(answer);
            };
            Asking asking = new Asking(new Probe(new Settings(), world), world, candidates);
            return new Map
            {
                { "told", asking.Run() },
                { "answered", asking.Answered == null ? null : asking.Answered.Address },
                { "started", started },
                { "requests", requests },
                { "seconds", now },
            };
        }

        private static object NextRouteCall()
        {
            return routeTask.Next()
                ? new Map { { "call", routeTask.Call.Name }, { "parameters", routeTask.Call.Parameters } }
                : new Map
                {
                    { "result", routeTask.Result },
                    { "failure", routeTask.Failure },
                    { "warnings", routeTask.Warnings },
                };
        }

        // In the middle of a call: the test answers with a line of its own.
        private static Map Ask(object what)
        {
            Output.WriteLine(Serializer.Serialize(new Map { { "ask", what } }));
            return (Map)Json.Parse(Input.ReadLine());
        }

        private static Map Ask(string name, object value)
        {
            return Ask(new Map { { name, value } });
        }

        private static Response AskTheTest(Request request)
        {
            Map answer = Ask(request);
            if (answer.ContainsKey("kind"))
            {
                throw new TransportException(
                    (string)answer["kind"], (string)answer["detail"], null, false, (string)Value(answer, "peer") ?? "");
            }
            return ToResponse(answer);
        }
    }
}
