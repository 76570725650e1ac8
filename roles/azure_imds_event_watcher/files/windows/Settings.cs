// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The watcher's configuration, which the role has checked, and its state file. Twin of _watcher/settings.py and
// state_file.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventService;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace Imds.EventWatcher
{
    using Map = Dictionary<string, object>;

    // Times in seconds.
    public sealed class WatcherSettings
    {
        private const double LongestCommand = 24 * 3600;
        private static readonly string[] Known =
        {
            "api_version", "command", "command_timeout", "connect_timeout", "detect", "endpoint", "event_types",
            "interval", "longest_wait", "mine", "phases", "read_timeout", "sources", "state_file", "stop_timeout",
        };

        public readonly List<string> Command;
        public readonly List<string> Phases;
        public readonly string StateFile;
        public readonly double Interval;
        public readonly double LongestWait;
        public readonly double CommandTimeout;
        public readonly Selection Selection;
        public readonly Reading Reading;

        // Throws OptionException for the first key that can't be used.
        public WatcherSettings(Map given)
        {
            string odd = given.Keys.FirstOrDefault(name => !Known.Contains(name));
            if (odd != null)
            {
                throw new OptionException(odd, "is not known; there are " + string.Join(", ", Known));
            }
            Command = Strings(given, "command", null);
            StateFile = Watch.Value(given, "state_file") as string;
            if (string.IsNullOrEmpty(StateFile) || !Path.IsPathRooted(StateFile))
            {
                throw new OptionException("state_file", Text.Quote(StateFile) + " is not an absolute path");
            }
            if (!Path.IsPathRooted(Command[0]))
            {
                throw new OptionException("command", Text.Quote(Command[0]) + " is not an absolute path");
            }
            Phases = Strings(given, "phases", new[] { "new", "started", "gone" });
            if (!Phases.All(phase => EventWatcher.Phases.All.Contains(phase)))
            {
                throw new OptionException(
                    "phases", "is not a list of some of " + string.Join(", ", EventWatcher.Phases.All));
            }
            Interval = Seconds(given, "interval", 1, 0, 60);
            LongestWait = Seconds(given, "longest_wait", 10, 1, 3600);
            CommandTimeout = Seconds(given, "command_timeout", 3600, 1, LongestCommand);
            Hashtable parameters = new Hashtable(given);
            foreach (string own in new[] { "command", "phases", "state_file" })
            {
                parameters.Remove(own);
            }
            Selection = Selection.Parse(parameters);
            Reading = Reading.Parse(parameters);
        }

        private static List<string> Strings(Map given, string name, IEnumerable<string> usual)
        {
            List<object> list = Watch.Value(given, name) as List<object>;
            if (list == null && usual != null && !given.ContainsKey(name))
            {
                return usual.ToList();
            }
            if (list == null || list.Count == 0 || !list.All(word => word is string))
            {
                throw new OptionException(name, "is not a list of at least one text");
            }
            return list.Cast<string>().ToList();
        }

        private static double Seconds(Map given, string name, double usual, double least, double most)
        {
            object value = given.ContainsKey(name) ? given[name] : usual;
            double seconds = value is long ? (long)value : value is double ? (double)value : -1;
            if (!(seconds >= least && seconds <= most))
            {
                throw new OptionException(
                    name, Text.Quote(value) + " is not a usable time; give " + least + " to " + most + " seconds");
            }
            return seconds;
        }
    }

    // What is known of the events, and which commands are due. A reader finds the old or the new state.
    public static class StateFile
    {
        private const long Format = 1;

        // The state, null if there is none yet. Throws JsonException: the file holds something else.
        public static Map Read(string path)
        {
            if (!File.Exists(path))
            {
                return null;
            }
            object content;
            try
            {
                content = Json.Parse(File.ReadAllText(path, Encoding.UTF8));
            }
            catch (DepthException)
            {
                throw new JsonException("it is nested too deeply");
            }
            Map state = content as Map;
            if (state == null || !Format.Equals(Watch.Value(state, "format")) || !HoldsEvents(state))
            {
                throw new JsonException("it is not a state of format " + Format);
            }
            return state;
        }

        // Replace the state in one step. It is on disk when this returns.
        public static void Write(string path, Map watch, List<object> due)
        {
            string fresh = path + ".new";
            Map state = new Map { { "format", Format }, { "watch", watch }, { "due", due } };
            byte[] content = Encoding.ASCII.GetBytes(JsonText.Write(state));
            using (FileStream file = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(content, 0, content.Length);
                file.Flush(true);
            }
            if (File.Exists(path))
            {
                File.Replace(fresh, path, null);
            }
            else
            {
                File.Move(fresh, path);
            }
        }

        // Move a file that can't be used out of the way; its new path.
        public static string SetAside(string path)
        {
            string aside = path + ".unusable";
            File.Delete(aside);
            File.Move(path, aside);
            return aside;
        }

        private static bool HoldsEvents(Map state)
        {
            Map watch = Watch.Value(state, "watch") as Map;
            List<object> due = Watch.Value(state, "due") as List<object>;
            if (watch == null || due == null)
            {
                return false;
            }
            Map known = Watch.Value(watch, "known") as Map ?? new Map();
            IEnumerable<Map> items = due.Select(item => item as Map ?? new Map());
            IEnumerable<object> listed = items.Select(
                item => Watch.Value(item, "phase") is string ? Watch.Value(item, "event") : null);
            return known.Values.Concat(listed).All(
                shown => shown is Map && ((Map)shown).ContainsKey("event_id") && ((Map)shown).Keys.All(IsKey));
        }

        // Whether a command's environment can have a variable of that name.
        private static bool IsKey(string name)
        {
            return name.Length > 0 && name.All(letter => letter == '_' || (letter >= 'a' && letter <= 'z'));
        }
    }
}
