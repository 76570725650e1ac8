// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_scheduled_events_windows between its parameters and its result. Twin of _events/act.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventService;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventsReach;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsEventsModule
{
    public static class EventsModule
    {
        private static readonly Dictionary<string, string> Failed = new Dictionary<string, string>
        {
            { DesiredState.Approved, "The approval failed" },
            { DesiredState.Appeared, "Waiting for an event failed" },
            { DesiredState.Gone, "Waiting for the end of the event failed" },
        };

        public static Outcome Run(IDictionary parameters, bool check)
        {
            return Run(parameters, check, new World());
        }

        public static Outcome Run(IDictionary parameters, bool check, World world)
        {
            Outcome outcome = new Outcome();
            DesiredState desired;
            Reading reading;
            try
            {
                desired = DesiredState.Parse(parameters);
                // The deadline is for all requests together; a single one has the usual time.
                reading = Reading.Parse(parameters, true);
            }
            catch (OptionException error)
            {
                outcome.Failure = error.Message;
                return outcome;
            }
            Service service = new Service(reading, world);
            Poller poller = new Poller(service, desired.Timeout, reading.FirstTimeout, desired.Poll, world);
            Reached reached;
            try
            {
                Platform.RequireAzure(reading.Settings, world.Firmware);
                reached = Reach.Run(desired, poller, check);
            }
            catch (ImdsException error)
            {
                reached = new Reached { Error = error };
            }
            ImdsException miss = reached.Error ?? reached.Unconfirmed;
            ImdsReason reason = miss == null ? Reasons.ByCode["ok"] : miss.Reason;
            bool approved = reached.Approved.Count > 0;
            outcome.Result["changed"] = reached.Changed;
            outcome.Result["found"] = reached.Found;
            outcome.Result["timed_out"] = reached.TimedOut;
            outcome.Result["events"] = reached.Events.Select(one => one.Shown).ToList<object>();
            outcome.Result["approved"] = reached.Approved;
            outcome.Result["request"] = approved ? Service.StartRequests(reached.Approved) : null;
            outcome.Result["notes"] = reached.Notes;
            outcome.Result["reason"] = reason.Code;
            outcome.Result["remedy"] = miss == null ? null : reason.Remedy;
            outcome.Result["vm_name"] = service.VmName;
            outcome.Result["document_incarnation"] = reached.Incarnation;
            outcome.Result["read_at"] = service.ReadAt;
            outcome.Result["clock"] = service.Clock;
            outcome.Result["api_version"] = service.ApiVersion;
            outcome.Result["waited"] = Math.Round(poller.Elapsed, 1);
            outcome.Result["requests"] = (long)service.Client.Requests;
            outcome.Result["attempts"] = service.Client.Attempts;
            outcome.Warnings.AddRange(Terms.Doubts(reading.ApiVersion));
            outcome.Warnings.AddRange(service.Nameless(reached.Events.Count > 0));
            outcome.Failure = Problem(desired, reached);
            return outcome;
        }

        // What went wrong, or null.
        private static string Problem(DesiredState desired, Reached reached)
        {
            if (reached.Foreign.Count > 0)
            {
                return "An approval starts an event for all VMs that it names, and these name others: "
                    + Named(reached.Foreign) + ". Nothing was approved. If that is intended, set others to allow.";
            }
            if (reached.Error != null)
            {
                return Failed[desired.State] + ": " + reached.Error.Explanation + " " + reached.Error.Reason.Remedy;
            }
            if (!reached.TimedOut || !desired.FailOnTimeout)
            {
                return null;
            }
            string within = "within " + Text.Number(desired.Timeout, 6) + " seconds";
            if (desired.State == DesiredState.Appeared)
            {
                return "No event appeared " + within + ".";
            }
            if (desired.State == DesiredState.Gone)
            {
                string last = reached.Events.Count > 0 ? Named(reached.Events) : "none of them";
                return "Not all events were gone " + within + ". Last seen: " + last + ".";
            }
            string waiting = "not all events started " + within + ": " + Named(reached.Events) + ".";
            if (reached.Unconfirmed != null)
            {
                return "IMDS did not confirm the approval, and " + waiting + " " + reached.Unconfirmed.Explanation + " "
                    + reached.Unconfirmed.Reason.Remedy;
            }
            return "IMDS confirmed the approval, but " + waiting + " Give it a longer timeout.";
        }

        private static string Named(IEnumerable<ScheduledEvent> events)
        {
            return string.Join(", ", events.Select(
                one => (one.Type ?? "None") + " " + (one.Id ?? "None") + " of " + string.Join(" and ", one.Resources)));
        }
    }
}
