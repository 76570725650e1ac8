// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What has been seen of events, and which commands are due: each phase of each event once, in order, and of one event
// one at a time. Pure. Twin of Watch in _events/phases.py, and of _watcher/ledger.py and pace.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;

namespace Imds.EventWatcher
{
    using Map = Dictionary<string, object>;

    public static class Phases
    {
        public const string New = "new";
        public const string Updated = "updated";
        public const string Started = "started";
        public const string Gone = "gone";
        public static readonly string[] All = { New, Updated, Started, Gone };
    }

    // Shown: the event's keys, of one that is gone as last seen.
    public sealed class Change
    {
        public string Phase;
        public Map Shown;
    }

    // Reports each phase of each event once, also across restarts if its state is kept. An event that is first seen
    // started is started only: nobody had notice of it.
    public sealed class Watch
    {
        // Of the keys, those that tell when an event has become different.
        private static readonly string[] Telling =
        {
            "event_type", "event_status", "not_before_raw", "resources", "duration_raw", "event_source",
        };

        private readonly Absence absence;
        private readonly Map known;

        // state: what State returned earlier, or null.
        public Watch(Map state)
        {
            state = state ?? new Map();
            absence = new Absence(Value(state, "incarnation") as long?);
            absence.Missed = new HashSet<string>(
                (Value(state, "missed") as List<object> ?? new List<object>()).OfType<string>());
            known = Value(state, "known") as Map ?? new Map();
            Incarnation = Value(state, "incarnation") as long?;
        }

        private long? Incarnation;

        // What has changed since the last document: first what is gone, then the others in IMDS' order.
        public List<Change> See(EventDocument document)
        {
            List<Change> changes = new List<Change>();
            foreach (string key in absence.See(document, known.Keys.ToList()).OrderBy(k => k, StringComparer.Ordinal))
            {
                changes.Add(new Change { Phase = Phases.Gone, Shown = (Map)known[key] });
                known.Remove(key);
            }
            Incarnation = document.Incarnation;
            foreach (ScheduledEvent one in document.Events)
            {
                Map before = Value(known, one.Key) as Map;
                known[one.Key] = one.Shown;
                string phase = one.Started
                    ? (before != null && Terms.Started.Equals(before["event_status"]) ? null : Phases.Started)
                    : before == null ? Phases.New
                    : Fingerprint(before) != Fingerprint(one.Shown) ? Phases.Updated : null;
                if (phase != null)
                {
                    changes.Add(new Change { Phase = phase, Shown = one.Shown });
                }
            }
            return changes;
        }

        // What has been seen, fit for JSON and for a later Watch.
        public Map State()
        {
            return new Map
            {
                { "incarnation", Incarnation },
                { "missed", absence.Missed.OrderBy(key => key, StringComparer.Ordinal).ToList() },
                { "known", known },
            };
        }

        private static string Fingerprint(Map shown)
        {
            return JsonText.Write(Telling.Select(name => name == "resources" ? Sorted(shown[name]) : shown[name]));
        }

        private static object Sorted(object names)
        {
            return ((IEnumerable)names).Cast<object>().OrderBy(name => (string)name, StringComparer.Ordinal).ToList();
        }

        internal static object Value(Map map, string name)
        {
            object value;
            return map.TryGetValue(name, out value) ? value : null;
        }
    }

    // One phase of one event whose command has not ended yet.
    public sealed class Due
    {
        public string Phase;
        public Map Shown;
        public bool Running;

        public string Key
        {
            get { return ((string)Shown["event_id"] ?? "").ToLowerInvariant(); }
        }

        public override string ToString()
        {
            return Phase + " of event " + Shown["event_id"];
        }
    }

    public sealed class Ledger
    {
        // Phases that are due at most. If commands take so long that there are more, later ones are left out.
        public const int MostDue = 1000;

        private readonly IEnumerable<string> phases;
        private readonly int atOnce;
        private readonly List<Due> due = new List<Due>();

        // phases: those that have a command. atOnce: how many commands may run at the same time.
        public Ledger(IEnumerable<string> phases, int atOnce)
        {
            this.phases = phases;
            this.atOnce = atOnce;
        }

        // Note that an event has reached a phase. False if so much is due already that this one is left out.
        public bool Add(string phase, Map shown)
        {
            if (!phases.Contains(phase))
            {
                return true;
            }
            if (due.Count >= MostDue)
            {
                return false;
            }
            due.Add(new Due { Phase = phase, Shown = shown });
            return true;
        }

        // What may start now, in the order in which it became due. The caller marks what it starts as running.
        public List<Due> Startable()
        {
            HashSet<string> busy = new HashSet<string>(due.Where(one => one.Running).Select(one => one.Key));
            List<Due> found = new List<Due>();
            foreach (Due one in due)
            {
                if (busy.Count >= atOnce)
                {
                    break;
                }
                if (busy.Add(one.Key))
                {
                    found.Add(one);
                }
            }
            return found;
        }

        // Note that a command has ended, however it did.
        public void Ended(Due one)
        {
            due.Remove(one);
        }

        // Everything that is due, running or not, for the state file.
        public List<object> State()
        {
            return due.Select(one => (object)new Map { { "phase", one.Phase }, { "event", one.Shown } }).ToList();
        }

        // Take up what was due when the watcher ended. A command that was interrupted makes sense only while its event
        // is still in that phase: to drain a host after the reboot would do harm. Returns what is left out.
        public List<Due> Resume(IEnumerable<object> kept, IEnumerable<ScheduledEvent> now)
        {
            Dictionary<string, ScheduledEvent> there = now.GroupBy(one => (one.Id ?? "").ToLowerInvariant())
                .ToDictionary(group => group.Key, group => group.First());
            List<Due> overtaken = new List<Due>();
            foreach (Map item in kept.Cast<Map>())
            {
                Due one = new Due { Phase = (string)item["phase"], Shown = (Map)item["event"] };
                ScheduledEvent current;
                there.TryGetValue(one.Key, out current);
                bool holds = current == null ? one.Phase == Phases.Gone
                    : current.Started ? one.Phase == Phases.Started
                    : one.Phase == Phases.New || one.Phase == Phases.Updated;
                if (!holds)
                {
                    overtaken.Add(one);
                }
                else
                {
                    Add(one.Phase, one.Shown);
                }
            }
            return overtaken;
        }
    }

    // When to ask again: once per interval, and less and less often while there are errors. Times in seconds.
    public sealed class Pace
    {
        private const double FirstWait = 1;

        private readonly double interval;
        private readonly double longest;

        public int Errors;

        public Pace(double interval, double longest)
        {
            this.interval = interval;
            this.longest = longest;
        }

        public double Answered(double now)
        {
            Errors = 0;
            return now + interval;
        }

        public double Failed(double now)
        {
            double wait = Math.Max(interval, FirstWait) * Math.Pow(2, Math.Min(Errors, 32));
            Errors++;
            return now + Math.Max(Math.Min(wait, longest), interval);
        }
    }
}
