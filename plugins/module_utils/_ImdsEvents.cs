// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Scheduled events: their words, their dates, the typed document, and what becomes of it. Pure. Twin of
// _events/terms.py, dates.py, document.py and selection.py, and of Absence in phases.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsEvents
{
    using Map = Dictionary<string, object>;

    public static class Terms
    {
        // <generated terms: make generate>
        // Oldest first.
        public static readonly string[] Versions =
        {
            "2017-03-01",
            "2017-08-01",
            "2017-11-01",
            "2019-01-01",
            "2019-04-01",
            "2019-08-01",
            "2020-07-01",
            "2024-07-09",
        };
        public static readonly string[] EventTypes =
        {
            "Freeze",
            "Reboot",
            "Redeploy",
            "Preempt",
            "Terminate",
            "SpotRebalanceRecommendation",
        };
        public static readonly string[] Statuses =
        {
            "Scheduled",
            "Started",
        };
        public static readonly string[] Sources =
        {
            "Platform",
            "User",
        };
        public const string Advice = "SpotRebalanceRecommendation";
        public const string Scheduled = "Scheduled";
        public const string Started = "Started";
        public const string Preview = "2017-03-01";
        public const string Default = "2020-07-01";
        public const string Newest = "newest";
        // </generated>

        // The versions to try for a value of the option api_version, in this order.
        public static IEnumerable<string> Ladder(string version)
        {
            return version == Newest ? new[] { Versions.Last(), Default } : new[] { version };
        }

        // Whether a version is one that every host has.
        public static bool IsEverywhere(string version)
        {
            return string.CompareOrdinal(version, Default) <= 0;
        }

        // What to warn of for a value of the option api_version: nothing, or that this release does not know it.
        public static IEnumerable<string> Doubts(string version)
        {
            if (version != Newest && !Versions.Contains(version))
            {
                yield return "api_version: this release does not know " + version
                    + " of scheduled events; IMDS was asked for it anyway.";
            }
        }
    }

    // The dates of scheduled events. IMDS writes RFC 1123; previews and stand-ins wrote other forms.
    public static class Dates
    {
        private const string Time = "([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?";
        private const string Zone =
            "([Zz]|[Gg][Mm][Tt]|[Uu][Tt][Cc]?|[+-][0-9]{2}(?::?[0-9]{2})?)";

        // RFC 1123, 850 and 822: Tue, 16 Mar 2021 00:58:46 GMT; Tuesday, 16-Mar-21 00:58:46 GMT; 16 Mar 21 00:58 +0000
        private static readonly Regex Mail = new Regex(
            @"\A(?:[A-Za-z]+,? +)?([0-9]{1,2})[ -]([A-Za-z]{3})[ -]([0-9]{4}|[0-9]{2}) +" + Time + " +" + Zone + @"\z");
        // The third form of HTTP: Tue Mar 16 00:58:46 2021
        private static readonly Regex Asctime = new Regex(
            @"\A[A-Za-z]+ +([A-Za-z]{3}) +([0-9]{1,2}) +" + Time + @" +([0-9]{4})\z");
        // ISO 8601: 2021-03-16T00:58:46Z, 2021-03-16 00:58:46.123+01:00
        private static readonly Regex Iso8601 = new Regex(
            @"\A([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]" + Time + " *" + Zone + @"?\z");
        private static readonly string[] Months =
        {
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        };
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1);

        // Unix seconds of a date, without its fraction of a second; null for what is no date. A date without a zone is
        // taken for UTC, because IMDS writes all its dates in GMT.
        public static long? Parse(string text)
        {
            text = text.Trim();
            Match found = Mail.Match(text);
            if (found.Success)
            {
                string[] part = Parts(found);
                return Seconds(Year(part[2]), Month(part[1]), part[0], part[3], part[4], part[5], part[6]);
            }
            found = Asctime.Match(text);
            if (found.Success)
            {
                string[] part = Parts(found);
                return Seconds(part[5], Month(part[0]), part[1], part[2], part[3], part[4], "");
            }
            found = Iso8601.Match(text);
            if (found.Success)
            {
                string[] part = Parts(found);
                return Seconds(part[0], Number(part[1]), part[2], part[3], part[4], part[5], part[6]);
            }
            return null;
        }

        // Unix seconds as ISO 8601 in UTC, such as 2021-03-16T00:58:46Z.
        public static string Iso(long seconds)
        {
            return Epoch.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH':'mm':'ss'Z'", CultureInfo.InvariantCulture);
        }

        private static string[] Parts(Match found)
        {
            return found.Groups.Cast<Group>().Skip(1).Select(group => group.Value).ToArray();
        }

        // Two digits mean 1970 to 2069.
        private static string Year(string text)
        {
            return text.Length == 4 ? text : (string.CompareOrdinal(text, "70") >= 0 ? "19" : "20") + text;
        }

        private static int Month(string name)
        {
            return Array.IndexOf(Months, name.ToLowerInvariant()) + 1;
        }

        private static int Number(string digits)
        {
            return digits.Length == 0 ? 0 : int.Parse(digits, CultureInfo.InvariantCulture);
        }

        private static long? Seconds(
            string year, int month, string day, string hour, string minute, string second, string zone)
        {
            string digits = zone.TrimStart('+', '-').Replace(":", "").PadRight(4, '0');
            bool ahead = digits.All(digit => digit >= '0' && digit <= '9');
            int minutes = ahead ? Number(digits.Substring(0, 2)) * 60 + Number(digits.Substring(2)) : 0;
            try
            {
                DateTime local = new DateTime(
                    Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
                DateTime utc = local.AddMinutes(zone.StartsWith("-", StringComparison.Ordinal) ? minutes : -minutes);
                return (utc - Epoch).Ticks / TimeSpan.TicksPerSecond;
            }
            catch (ArgumentOutOfRangeException)
            {
                return null;
            }
        }
    }

    // The answer is not a document of scheduled events.
    public sealed class DocumentException : Exception
    {
        public DocumentException(string problem) : base(problem)
        {
        }
    }

    // One event. Shown: the keys of the modules' results; one is null where the API version lacks its field. What this
    // release does not know, or can't read, is kept and named in Unrecognized.
    public sealed class ScheduledEvent
    {
        private readonly Map raw;

        public readonly Map Shown = new Map();
        public readonly List<string> Unrecognized = new List<string>();
        public readonly string Id;
        public readonly string Type;
        public readonly string Status;
        public readonly string Source;
        public readonly List<string> Resources;
        public readonly long? SecondsLeft;
        public bool? Mine;
        public bool? OnlyMine;

        // now: Unix seconds. vmName: compute.name of the VM whose events are "mine", or null.
        public ScheduledEvent(Map raw, long now, string vmName, string version)
        {
            this.raw = raw;
            Id = Read("EventId", "event_id", true);
            Type = ReadWord("EventType", "event_type", Terms.EventTypes, true);
            Status = ReadWord("EventStatus", "event_status", Terms.Statuses, true);
            string resourceType = Read("ResourceType", "resource_type", false);
            Resources = ReadNames(version);
            string notBefore = Read("NotBefore", "not_before", false);
            long? at = string.IsNullOrEmpty(notBefore) ? null : Dates.Parse(notBefore);
            if (at == null && (!string.IsNullOrEmpty(notBefore) || !Started))
            {
                Doubt("not_before");
            }
            SecondsLeft = Started ? null : at - now;
            string description = Read("Description", "description", false);
            Source = ReadWord("EventSource", "event_source", Terms.Sources, false);
            Shown["event_id"] = Id;
            Shown["event_type"] = Type;
            Shown["event_status"] = Status;
            Shown["resource_type"] = resourceType;
            Shown["resources"] = Resources;
            TellApart(vmName);
            Shown["not_before"] = at == null ? null : Dates.Iso(at.Value);
            Shown["not_before_raw"] = notBefore;
            Shown["seconds_left"] = SecondsLeft;
            Shown["description"] = description;
            Shown["event_source"] = Source;
            Shown["duration"] = ReadDuration();
            Shown["duration_raw"] = Value("DurationInSeconds");
            Shown["unrecognized"] = Unrecognized;
        }

        // What tells this event from others, whatever the case of its ID.
        public string Key
        {
            get
            {
                string names = string.Join(" ", Resources.OrderBy(name => name, StringComparer.Ordinal));
                return (Id ?? (Type ?? "None") + " " + names).ToLowerInvariant();
            }
        }

        // Say whose event it is, where the VM's name is known.
        public void TellApart(string vmName)
        {
            if (vmName != null)
            {
                List<bool> ours = Resources.Select(name => Same(name, vmName)).ToList();
                Mine = ours.Contains(true);
                // A name that can't be read is not known to be ours.
                OnlyMine = ours.Count > 0 && !ours.Contains(false) && !Unrecognized.Contains("resources");
            }
            Shown["mine"] = Mine;
            Shown["only_mine"] = OnlyMine;
        }

        public bool Started
        {
            get { return Status == Terms.Started; }
        }

        private static bool Same(string name, string other)
        {
            return name.ToLowerInvariant() == other.ToLowerInvariant();
        }

        private object Value(string name)
        {
            object value;
            return raw.TryGetValue(name, out value) ? value : null;
        }

        private void Doubt(string key)
        {
            if (!Unrecognized.Contains(key))
            {
                Unrecognized.Add(key);
            }
        }

        private string Read(string name, string key, bool required)
        {
            object value = Value(name);
            string text = value as string;
            if (text != null && (text.Length > 0 || !required))
            {
                return text;
            }
            if (required || value != null)
            {
                Doubt(key);
            }
            return null;
        }

        private string ReadWord(string name, string key, string[] known, bool required)
        {
            string word = Read(name, key, required);
            if (word != null && !known.Contains(word))
            {
                Doubt(key);
            }
            return word;
        }

        private List<string> ReadNames(string version)
        {
            List<object> given = Value("Resources") as List<object> ?? new List<object>();
            List<string> names = given.OfType<string>().Where(name => name.Length > 0).ToList();
            if (names.Count == 0 || names.Count != given.Count)
            {
                Doubt("resources");
            }
            bool marked = version == Terms.Preview;
            return names.Select(name => marked && name[0] == '_' ? name.Substring(1) : name).ToList();
        }

        private long? ReadDuration()
        {
            object value = Value("DurationInSeconds");
            if (value == null || (-1L).Equals(value))
            {
                return null;
            }
            if (value is long && (long)value >= 0)
            {
                return (long)value;
            }
            Doubt("duration");
            return null;
        }
    }

    // Events: in IMDS' order. Incarnation: changes with them, and starts over after it was off; null if unknown.
    public sealed class EventDocument
    {
        public readonly long? Incarnation;
        public readonly List<ScheduledEvent> Events;

        // content: the parsed JSON of the answer. now: Unix seconds, from the answer's Date header where it has one.
        // version: the one that was asked for. Throws DocumentException.
        public EventDocument(object content, long now, string vmName, string version)
        {
            Map document = content as Map ?? new Map();
            object events, incarnation;
            document.TryGetValue("Events", out events);
            document.TryGetValue("DocumentIncarnation", out incarnation);
            List<object> given = events as List<object>;
            if (given == null || !given.All(entry => entry is Map))
            {
                throw new DocumentException("the answer has no list Events of objects");
            }
            Incarnation = incarnation as long?;
            Events = given.Select(entry => new ScheduledEvent((Map)entry, now, vmName, version)).ToList();
        }

        // The scheduled event that starts first; null if none is scheduled for a known time.
        public static ScheduledEvent Soonest(IEnumerable<ScheduledEvent> events)
        {
            return events.Where(one => one.SecondsLeft != null).OrderBy(one => one.SecondsLeft).FirstOrDefault();
        }
    }

    // Events that meet every filter. Null is no filter; an empty list lets nothing through.
    public sealed class Selection
    {
        // Seconds; IMDS announces a predicted failure of hardware about 7 days ahead.
        private const long LongestWithin = 366 * 24 * 3600;

        private static readonly Regex Guid = new Regex(@"\A[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z");
        public static readonly string[] Lists = { "event_types", "sources", "statuses", "event_ids" };

        public List<string> EventTypes;
        public List<string> Sources;
        public List<string> Statuses;
        public List<string> EventIds;
        public bool Mine = true;
        public long? Within;

        // A selection from a module's parameters. Throws OptionException: an unknown word, an ID that is no GUID, or an
        // unusable time.
        public static Selection Parse(IDictionary parameters)
        {
            Selection selection = new Selection();
            selection.EventTypes = Words(parameters, "event_types", Terms.EventTypes);
            selection.Sources = Words(parameters, "sources", Terms.Sources);
            selection.Statuses = Words(parameters, "statuses", Terms.Statuses);
            List<string> ids = Texts(parameters, "event_ids");
            string odd = ids == null ? null : ids.FirstOrDefault(id => !Guid.IsMatch(id));
            if (odd != null)
            {
                throw new OptionException(
                    "event_ids",
                    Text.Quote(odd) + " is not a GUID; give an event_id of azure_imds_scheduled_events_info");
            }
            selection.EventIds = ids == null ? null : ids.Select(id => id.ToLowerInvariant()).ToList();
            selection.Mine = !false.Equals(parameters["mine"]);
            object within = parameters["within"];
            selection.Within = within == null ? (long?)null : Convert.ToInt64(within, CultureInfo.InvariantCulture);
            if (selection.Within < 0 || selection.Within > LongestWithin)
            {
                throw new OptionException(
                    "within",
                    Text.Quote(within) + " is not a usable time; give 0 to " + LongestWithin + " seconds");
            }
            return selection;
        }

        // Throws OptionException: a word is not a known one. Ansible.Basic does not mind upper and lower case.
        public static void Check(string name, string word, string[] known)
        {
            if (!known.Contains(word))
            {
                string names = string.Join(", ", known);
                throw new OptionException(name, Text.Quote(word) + " is not one of " + names);
            }
        }

        private static List<string> Words(IDictionary parameters, string name, string[] known)
        {
            List<string> words = Texts(parameters, name);
            foreach (string word in words ?? new List<string>())
            {
                Check(name, word, known);
            }
            return words;
        }

        // The strings of an option, or null where it is not set.
        public static List<string> Texts(IDictionary parameters, string name)
        {
            IEnumerable given = parameters[name] as IEnumerable;
            return given == null ? null : given.Cast<string>().ToList();
        }

        // Whether nothing but the VM decides what is meant.
        public bool Unrestricted
        {
            get { return Given.All(list => list == null) && Within == null; }
        }

        // Whether no event can be meant.
        public bool Empty
        {
            get { return Given.Any(list => list != null && list.Count == 0); }
        }

        private List<string>[] Given
        {
            get { return new[] { EventTypes, Sources, Statuses, EventIds }; }
        }

        public List<ScheduledEvent> Choose(IEnumerable<ScheduledEvent> events)
        {
            return events.Where(Matches).ToList();
        }

        private bool Matches(ScheduledEvent one)
        {
            return (one.Mine != false || !Mine)
                && Holds(EventTypes, one.Type)
                && Holds(Sources, one.Source)
                && Holds(Statuses, one.Status)
                && Holds(EventIds, one.Key)
                && (Within == null || one.SecondsLeft == null || one.SecondsLeft <= Within);
        }

        private static bool Holds(List<string> filter, string value)
        {
            return filter == null || filter.Contains(value);
        }
    }

    // Tells events that are gone from those that an answer merely lacks. An event is gone when two reads in a row lack
    // it, or one whose incarnation has gone up. An incarnation that went down proves nothing: the service was off, and
    // may not show all events yet.
    public sealed class Absence
    {
        private long? incarnation;

        public HashSet<string> Missed = new HashSet<string>();

        public Absence(long? incarnation)
        {
            this.incarnation = incarnation;
        }

        // Those of the keys that are gone by now.
        public List<string> See(EventDocument document, IEnumerable<string> keys)
        {
            bool risen = document.Incarnation > incarnation;
            HashSet<string> there = new HashSet<string>(document.Events.Select(one => one.Key));
            List<string> lacking = keys.Where(key => !there.Contains(key)).Distinct().ToList();
            List<string> gone = lacking.Where(key => risen || Missed.Contains(key)).ToList();
            incarnation = document.Incarnation;
            Missed = new HashSet<string>(lacking.Except(gone));
            return gone;
        }
    }
}
