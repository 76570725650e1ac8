// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_scheduled_events_info_windows between its parameters and its result. Twin of _events/info.py.

using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventService;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsEventsInfoModule
{
    public static class EventsInfoModule
    {
        public static Outcome Run(IDictionary parameters)
        {
            return Run(parameters, new World());
        }

        public static Outcome Run(IDictionary parameters, World world)
        {
            Outcome outcome = new Outcome();
            Reading reading;
            Selection selection;
            try
            {
                reading = Reading.Parse(parameters);
                selection = Selection.Parse(parameters);
            }
            catch (OptionException error)
            {
                outcome.Failure = error.Message;
                return outcome;
            }
            Service service = new Service(reading, world);
            EventDocument document = null;
            ImdsReason reason = Reasons.ByCode["ok"];
            try
            {
                Platform.RequireAzure(reading.Settings, world.Firmware);
                // Even where there are no events: callers with many hosts need the names to tell whom an event
                // concerns. And first, because an address that IMDS does not answer looks just like events that are
                // being switched on.
                service.Identify();
                document = service.Read();
            }
            catch (ImdsException error)
            {
                reason = error.Reason;
                if (true.Equals(parameters["required"]))
                {
                    outcome.Failure =
                        "No scheduled events from IMDS: " + error.Explanation + " " + reason.Remedy;
                }
            }
            bool available = document != null;
            List<ScheduledEvent> chosen = selection.Choose(
                available ? document.Events : new List<ScheduledEvent>());
            ScheduledEvent soonest = EventDocument.Soonest(chosen);
            outcome.Result["available"] = available;
            outcome.Result["reason"] = reason.Code;
            outcome.Result["remedy"] = available ? null : reason.Remedy;
            outcome.Result["vm_name"] = service.VmName;
            outcome.Result["document_incarnation"] = available ? document.Incarnation : null;
            outcome.Result["events"] = chosen.Select(one => one.Shown).ToList<object>();
            outcome.Result["soonest"] = soonest == null ? null : soonest.Shown;
            outcome.Result["read_at"] = available ? service.ReadAt : null;
            outcome.Result["clock"] = available ? service.Clock : null;
            outcome.Result["api_version"] = service.ApiVersion;
            outcome.Result["attempts"] = service.Client.Attempts;
            outcome.Result["meta"] = Outcome.Meta();
            outcome.Warnings.AddRange(Terms.Doubts(reading.ApiVersion));
            outcome.Warnings.AddRange(service.Client.LongWaits());
            outcome.Warnings.AddRange(service.Nameless(available && document.Events.Count > 0));
            return outcome;
        }
    }
}
