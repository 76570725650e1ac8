// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Calls about scheduled events. Clock, pauses and IMDS are the test's.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventsInfoModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventsModule;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    public static partial class Harness
    {
        private static object RunEvents(Map arguments)
        {
            World world = ToAskingWorld(arguments);
            world.Now = () => 0;
            Hashtable parameters = new Hashtable(Part(arguments, "params"));
            Outcome outcome = parameters.ContainsKey("state")
                ? EventsModule.Run(parameters, (bool)arguments["check"], world)
                : EventsInfoModule.Run(parameters, world);
            return new Map
            {
                { "result", outcome.Result }, { "warnings", outcome.Warnings }, { "failure", outcome.Failure },
            };
        }

        private static object ParseEventDate(Map arguments)
        {
            long? seconds = Dates.Parse((string)arguments["text"]);
            return seconds == null ? null : new object[] { seconds, Dates.Iso(seconds.Value) };
        }

        private static object ReadEventDocument(Map arguments)
        {
            try
            {
                EventDocument document = new EventDocument(
                    Value(arguments, "content"),
                    (long)arguments["now"],
                    (string)arguments["vm_name"],
                    (string)arguments["version"]);
                ScheduledEvent soonest = EventDocument.Soonest(document.Events);
                return new Map
                {
                    { "incarnation", document.Incarnation },
                    { "events", document.Events.Select(one => one.Shown) },
                    { "keys", document.Events.Select(one => one.Key) },
                    { "soonest", soonest == null ? null : soonest.Shown },
                };
            }
            catch (DocumentException error)
            {
                return error.Message;
            }
        }
    }
}
