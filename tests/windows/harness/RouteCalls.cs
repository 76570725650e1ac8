// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The route fix, which is a dialogue: it asks for cmdlets and requests, and the test answers them.

using System;
using System.Collections;
using System.Collections.Generic;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteJournal;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTarget;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        // The run of the route fix that is under way.
        private static RouteTask routeTask;
        private static IDisposable heldJournal;

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
    }
}
