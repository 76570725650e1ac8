// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Approve scheduled events, or wait for them, under one deadline. Twin of _events/approval.py, polling.py and reach.py,
// and of DesiredState in options.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventService;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsEventsReach
{
    // What the options ask for, and until when. Timeout and Poll in seconds.
    public sealed class DesiredState
    {
        public const string Approved = "approved";
        public const string Appeared = "appeared";
        public const string Gone = "gone";

        private const string Refuse = "refuse";
        private const double UsualTimeout = 300;
        // IMDS switches the service off where nobody has asked for a day.
        private const double LongestWait = 24 * 3600;
        private const double UsualPoll = 5;

        public string State;
        public Selection Selection;
        public bool RefuseOthers;
        public double Timeout;
        public double Poll;
        public bool FailOnTimeout;

        // From the parameters of azure_imds_scheduled_events. Throws OptionException: a value that can't be used, or
        // options that do not go together.
        public static DesiredState Parse(IDictionary parameters)
        {
            string state = (string)parameters["state"];
            string others = (string)parameters["others"] ?? Refuse;
            Selection.Check("state", state, new[] { Approved, Appeared, Gone });
            Selection.Check("others", others, new[] { Refuse, "allow" });
            Selection meant = Selection.Parse(parameters);
            if (state == Approved && meant.Unrestricted)
            {
                throw new OptionException(
                    "event_ids", "give the events to approve, or select them by one of the filters");
            }
            if (state == Gone && meant.EventIds == null)
            {
                throw new OptionException("event_ids", "give the events that are to be gone");
            }
            if (state == Appeared && meant.Empty)
            {
                string name = Selection.Lists.First(
                    list => (Selection.Texts(parameters, list) ?? new List<string> { "" }).Count == 0);
                throw new OptionException(name, "no event can appear that meets an empty list; leave it out");
            }
            if (state == Gone)
            {
                // Who waits for an event by its ID means this one, whatever has become of it.
                meant = new Selection { EventIds = meant.EventIds, Mine = false };
            }
            object fails = parameters["fail_on_timeout"];
            return new DesiredState
            {
                State = state,
                Selection = meant,
                RefuseOthers = others == Refuse,
                Timeout = Reading.Seconds(parameters, "timeout", UsualTimeout, 0, LongestWait),
                Poll = Reading.Seconds(parameters, "poll", UsualPoll, 1, 60),
                FailOnTimeout = fails == null ? state != Appeared : (bool)fails,
            };
        }
    }

    // Which events to approve, and why not the others. Chosen: the events that match. Send: those to approve. Foreign:
    // those of them that name other VMs too. Notes: a sentence for each event that matches but is not to be approved,
    // and for each ID that does not match.
    internal sealed class ApprovalPlan
    {
        public readonly List<ScheduledEvent> Chosen;
        public readonly List<ScheduledEvent> Send = new List<ScheduledEvent>();
        public readonly List<ScheduledEvent> Foreign;
        public readonly List<string> Notes = new List<string>();

        public ApprovalPlan(Selection selection, List<ScheduledEvent> events)
        {
            Chosen = selection.Choose(events);
            bool named = selection.EventIds != null || selection.EventTypes != null;
            foreach (ScheduledEvent one in Chosen)
            {
                string objection = Objection(one, named);
                if (objection == null)
                {
                    Send.Add(one);
                }
                else
                {
                    Notes.Add(Called(one) + " is not approved: " + objection + ".");
                }
            }
            IEnumerable<string> there = Chosen.Select(one => one.Key);
            IEnumerable<string> ids = (selection.EventIds ?? new List<string>()).Distinct();
            Notes.AddRange(ids.Where(id => !there.Contains(id)).Select(id => Missing(id, events)));
            // Where names are unknown or unreadable, they may be those of others.
            Foreign = Send.Where(one => one.OnlyMine != true).ToList();
        }

        // Why an event is not to be approved, or null. named: the user has named it by ID or by type.
        private static string Objection(ScheduledEvent one, bool named)
        {
            if (one.Started)
            {
                return "it has started";
            }
            if (one.Status != Terms.Scheduled)
            {
                return "its status " + (one.Status ?? "None") + " is unknown to this release";
            }
            if (one.Id == null)
            {
                return "it has no ID";
            }
            if (!named && one.Unrecognized.Contains("event_type"))
            {
                return "its type is unknown to this release, so it has to be named in event_ids";
            }
            if (!named && one.Type == Terms.Advice)
            {
                return "it is a recommendation, so it has to be named in event_types or event_ids";
            }
            return null;
        }

        private static string Missing(string id, List<ScheduledEvent> events)
        {
            ScheduledEvent found = events.FirstOrDefault(one => one.Key == id);
            if (found == null)
            {
                return "Event " + id + " is not there: it is over, was cancelled, or never was.";
            }
            if (found.Mine == false)
            {
                string names = string.Join(", ", found.Resources);
                return Called(found) + " is not approved: it names only " + names + ", which mine leaves out.";
            }
            return Called(found) + " is not approved: it does not match the other filters.";
        }

        private static string Called(ScheduledEvent one)
        {
            return ((one.Type ?? "Event") + " " + one.Id).TrimEnd();
        }
    }

    // Looks at the events again and again, under one deadline. Temporary errors are retried, others end it.
    // Trouble: why the last look saw nothing, if it did not.
    public sealed class Poller
    {
        // Reasons that are temporary: IMDS is being updated, moves, or is overloaded.
        private static readonly string[] Temporary =
        {
            "throttled", "updating", "server_error", "read_timeout", "malformed",
        };
        // Reasons that are temporary once IMDS has answered. Before that, they mean that the host can't reach it.
        private static readonly string[] TemporaryLater = { "not_found", "no_route", "refused", "connect_timeout" };
        // Seconds that there are after a first answer in any case, however late it came.
        private const double Grace = 30;
        // Seconds that the last look before the deadline should have.
        private const double LastLook = 1;
        private const double ShortestPause = 0.25;
        // How many of the attempts are remembered: a wait of a day may have 86,400.
        private const int Remembered = 50;

        private readonly double timeout;
        private readonly double firstTimeout;
        private readonly double poll;
        private readonly World world;
        private readonly double started;
        private bool identified;
        private double? answeredAfter;

        public readonly Service Service;
        public ImdsException Trouble;

        // timeout: until the deadline, which is later where the first answer is: it may take firstTimeout. poll: from
        // one look to the next.
        public Poller(Service service, double timeout, double firstTimeout, double poll, World world)
        {
            Service = service;
            this.timeout = timeout;
            this.firstTimeout = firstTimeout;
            this.poll = poll;
            this.world = world;
            started = world.Clock();
        }

        public double Elapsed
        {
            get { return world.Clock() - started; }
        }

        private double Remaining
        {
            get
            {
                double end = answeredAfter == null ? firstTimeout : answeredAfter.Value + Math.Min(timeout, Grace);
                return Math.Max(timeout, end) - Elapsed;
            }
        }

        // For a request: never nothing, because the first look is taken in any case.
        private double Limit
        {
            get { return Math.Max(Remaining, ShortestPause); }
        }

        // The events as they are now; null if IMDS does not show them at the moment. Throws ImdsException: for an error
        // that is not temporary.
        public EventDocument Look()
        {
            try
            {
                if (!identified)
                {
                    Service.Identify(Limit);
                    identified = true;
                }
                EventDocument document = Service.Read(Limit);
                Trouble = null;
                answeredAfter = answeredAfter ?? Elapsed;
                return document;
            }
            catch (ImdsException error)
            {
                if (!IsTemporary(error))
                {
                    throw;
                }
                Trouble = error;
                return null;
            }
        }

        // As Service.Approve, within the deadline.
        public void Approve(IEnumerable<string> ids)
        {
            Service.Approve(ids, Limit);
        }

        // Wait for the next look; false if the deadline leaves no time for one.
        public bool Pause()
        {
            List<object> attempts = Service.Client.Attempts;
            attempts.RemoveRange(0, Math.Max(attempts.Count - Remembered, 0));
            double pause = Math.Min(poll, Remaining - LastLook);
            if (pause < ShortestPause)
            {
                return false;
            }
            world.Sleep(pause);
            return true;
        }

        // Whether it makes sense to ask again.
        public bool IsTemporary(ImdsException error)
        {
            string code = error.Reason.Code;
            return Temporary.Contains(code) || (identified && TemporaryLater.Contains(code));
        }
    }

    // What came of it. Found: whether a matching event was there at the last look, or for approved at the first one.
    // Events: those that match, as last seen. Approved: the IDs that were approved, or in check mode would be.
    // Changed: whether that started anything. Foreign: the events for whose other VMs the approval was refused.
    // TimedOut: whether the deadline came first. Error: why IMDS could not be asked. Notes: what else there is to say.
    public sealed class Reached
    {
        public bool Found;
        public bool Changed;
        public bool TimedOut;
        public long? Incarnation;
        public List<ScheduledEvent> Events = new List<ScheduledEvent>();
        public List<string> Approved = new List<string>();
        public List<ScheduledEvent> Foreign = new List<ScheduledEvent>();
        public readonly List<string> Notes = new List<string>();
        public ImdsException Error;
        // Why the approval was not confirmed before the deadline.
        public ImdsException Unconfirmed;
    }

    // Reaches the desired state. check: look once, send no approval, and wait for nothing.
    public sealed class Reach
    {
        // How IMDS refuses an approval. That may mean that one of the events is gone, so the next look decides.
        private static readonly string[] Refused = { "rejected", "not_found", "bad_version" };

        private readonly DesiredState desired;
        private readonly Poller poller;
        private readonly bool check;
        private readonly Reached reached = new Reached();

        private Reach(DesiredState desired, Poller poller, bool check)
        {
            this.desired = desired;
            this.poller = poller;
            this.check = check;
        }

        public static Reached Run(DesiredState desired, Poller poller, bool check)
        {
            return new Reach(desired, poller, check).Run();
        }

        private Reached Run()
        {
            if (desired.Selection.Empty)
            {
                reached.Notes.Add("No event can match, because a filter is an empty list. Nothing was asked or sent.");
                return reached;
            }
            try
            {
                if (desired.State == DesiredState.Approved)
                {
                    Approve();
                }
                else if (desired.State == DesiredState.Appeared)
                {
                    AwaitAppearance();
                }
                else
                {
                    AwaitEnd();
                }
            }
            catch (ImdsException error)
            {
                reached.Error = error;
            }
            if (poller.Trouble != null && reached.Error == null)
            {
                reached.Notes.Add("The last answer is missing: " + poller.Trouble.Explanation);
            }
            return reached;
        }

        private EventDocument Look()
        {
            EventDocument document = poller.Look();
            if (document != null)
            {
                reached.Incarnation = document.Incarnation;
            }
            return document;
        }

        // The first document that IMDS shows. Throws ImdsException: it shows none before the deadline.
        private EventDocument First()
        {
            while (true)
            {
                EventDocument document = Look();
                if (document != null)
                {
                    return document;
                }
                if (!poller.Pause() && poller.Trouble != null)
                {
                    throw poller.Trouble;
                }
            }
        }

        private void AwaitAppearance()
        {
            EventDocument document = First();
            while (true)
            {
                if (document != null)
                {
                    reached.Events = desired.Selection.Choose(document.Events);
                    reached.Found = reached.Events.Count > 0;
                }
                if (reached.Found || check || !Waited())
                {
                    return;
                }
                document = Look();
            }
        }

        private void AwaitEnd()
        {
            HashSet<string> keys = new HashSet<string>(desired.Selection.EventIds);
            Absence absence = new Absence(null);
            EventDocument document = First();
            while (true)
            {
                if (document != null)
                {
                    keys.ExceptWith(absence.See(document, keys));
                    reached.Events = Updated(reached.Events, desired.Selection.Choose(document.Events));
                    reached.Found = document.Events.Any(one => keys.Contains(one.Key));
                }
                if (keys.Count == 0 || check || !Waited())
                {
                    return;
                }
                document = Look();
            }
        }

        private bool Waited()
        {
            reached.TimedOut = !poller.Pause();
            return !reached.TimedOut;
        }

        private void Approve()
        {
            EventDocument document = First();
            ApprovalPlan plan = new ApprovalPlan(desired.Selection, document.Events);
            reached.Events = plan.Chosen;
            reached.Notes.AddRange(plan.Notes);
            reached.Found = plan.Chosen.Count > 0;
            if (plan.Foreign.Count > 0 && desired.RefuseOthers)
            {
                reached.Foreign = plan.Foreign;
                return;
            }
            if (check || plan.Send.Count == 0)
            {
                reached.Approved = Ids(plan.Send);
                reached.Changed = plan.Send.Count > 0;
                return;
            }
            SendAndWatch(plan.Send, new Absence(document.Incarnation));
        }

        // Approve one batch of events until IMDS confirms it, and watch them until all have started or are gone.
        private void SendAndWatch(List<ScheduledEvent> waiting, Absence absence)
        {
            bool confirmed = false;
            ImdsException trouble = null;
            while (true)
            {
                ImdsException refusal = null;
                if (!confirmed)
                {
                    List<string> ids = Ids(waiting);
                    ImdsException failure = Send(ids);
                    confirmed = failure == null;
                    reached.Changed = reached.Changed || confirmed;
                    reached.Approved = confirmed ? ids : reached.Approved;
                    trouble = failure ?? trouble;
                    refusal = failure != null && Refused.Contains(failure.Reason.Code) ? failure : null;
                }
                EventDocument document = Look();
                if (document != null)
                {
                    int before = waiting.Count;
                    waiting = StillWaiting(waiting, document, absence, confirmed);
                    if (waiting.Count == 0 || BecameForeign(waiting, confirmed))
                    {
                        return;
                    }
                    if (refusal != null && waiting.Count == before && absence.Missed.Count == 0)
                    {
                        throw refusal;
                    }
                }
                if (!Waited())
                {
                    if (!confirmed && trouble != null)
                    {
                        reached.Unconfirmed = trouble;
                        reached.Notes.Add("IMDS has not confirmed the approval: " + trouble.Explanation);
                    }
                    return;
                }
            }
        }

        // Approve events in one request. Null, or why IMDS did not confirm it. Throws ImdsException: it never will.
        private ImdsException Send(List<string> ids)
        {
            try
            {
                poller.Approve(ids);
                return null;
            }
            catch (ImdsException error)
            {
                if (!Refused.Contains(error.Reason.Code) && !poller.IsTemporary(error))
                {
                    throw;
                }
                return error;
            }
        }

        // Those that have neither started nor gone, as they are now.
        private List<ScheduledEvent> StillWaiting(
            List<ScheduledEvent> waiting, EventDocument document, Absence absence, bool confirmed)
        {
            List<string> gone = absence.See(document, waiting.Select(one => one.Key));
            foreach (ScheduledEvent one in waiting.OrderBy(each => each.Key, StringComparer.Ordinal))
            {
                if (!confirmed && gone.Contains(one.Key))
                {
                    reached.Notes.Add("Event " + one.Id + " was gone before IMDS confirmed its approval.");
                }
            }
            List<ScheduledEvent> left = waiting.Where(one => !gone.Contains(one.Key)).ToList();
            List<string> keys = left.Select(one => one.Key).ToList();
            List<ScheduledEvent> seen = document.Events.Where(one => keys.Contains(one.Key)).ToList();
            reached.Events = Updated(reached.Events, seen);
            foreach (ScheduledEvent one in seen.Where(each => each.Started))
            {
                // IMDS need not have confirmed it: an answer may get lost.
                reached.Changed = true;
                reached.Approved = reached.Approved.Union(Ids(new[] { one })).ToList();
            }
            return Updated(left, seen).Where(one => !one.Started).ToList();
        }

        // Whether what is yet to be approved names other VMs by now.
        private bool BecameForeign(List<ScheduledEvent> waiting, bool confirmed)
        {
            if (confirmed || !desired.RefuseOthers)
            {
                return false;
            }
            reached.Foreign = waiting.Where(one => one.OnlyMine != true).ToList();
            return reached.Foreign.Count > 0;
        }

        private static List<string> Ids(IEnumerable<ScheduledEvent> events)
        {
            return events.Where(one => one.Id != null).Select(one => one.Id).ToList();
        }

        // The known events as they were seen last, then those that are new.
        private static List<ScheduledEvent> Updated(List<ScheduledEvent> known, List<ScheduledEvent> seen)
        {
            List<ScheduledEvent> all = known.Concat(seen).ToList();
            return all.Select(one => one.Key).Distinct()
                .Select(key => all.Last(one => one.Key == key)).ToList();
        }
    }
}
