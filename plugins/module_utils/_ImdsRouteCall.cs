// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the route fix asks PowerShell to run, and the result. _ImdsRoutes.psm1 has one branch for each name.
//
// The code that decides never sees a cmdlet: it hands out one call after the other, and continues when the last one is
// answered. So all of it runs without cmdlets, too.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall
{
    using Map = Dictionary<string, object>;

    public sealed class Call
    {
        public readonly string Name;
        public readonly Map Parameters;
        public readonly List<object> Rows = new List<object>();

        private string id;
        private string category;
        private string message;

        public Call(string name, Map parameters = null)
        {
            Name = name;
            Parameters = parameters ?? new Map();
        }

        // One object that the cmdlet returned.
        public void Add(IDictionary row)
        {
            Rows.Add(row);
        }

        // The error record that it ended with. Its message is in the system's language: it is shown, but never parsed.
        public void Fail(string errorId, string errorCategory, string errorMessage)
        {
            id = errorId ?? "";
            category = errorCategory ?? "";
            message = errorMessage ?? "";
        }

        public bool Failed
        {
            get { return id != null; }
        }

        // The cmdlet looked and found nothing. A cmdlet that is missing has the same category, and another id.
        public bool NotFound
        {
            get
            {
                return Failed && category == "ObjectNotFound"
                    && (Starts("CmdletizationQuery_NotFound") || Starts("NoServiceFoundForGivenName"));
            }
        }

        // It failed for another reason than finding nothing.
        public bool Broken
        {
            get { return Failed && !NotFound; }
        }

        // 5 is ERROR_ACCESS_DENIED.
        public bool Denied
        {
            get { return Failed && (category == "PermissionDenied" || id.Split(',')[0] == "Windows System Error 5"); }
        }

        public string Problem
        {
            get { return Name + ": " + message.Trim() + (Denied ? " Administrator's rights are needed." : ""); }
        }

        private bool Starts(string start)
        {
            return id.StartsWith(start, StringComparison.Ordinal);
        }
    }

    // Something failed on the host; the text says what, and its message. Twin of HostError in host.py.
    public class HostException : Exception
    {
        public HostException(string problem) : base(problem)
        {
        }
    }

    // Reads values from Ansible and PowerShell: dictionaries and lists of several types, numbers of several sizes.
    public static class Given
    {
        public static object Value(IDictionary map, string name)
        {
            return map != null && map.Contains(name) ? map[name] : null;
        }

        public static string Text(IDictionary map, string name)
        {
            return Convert.ToString(Value(map, name), CultureInfo.InvariantCulture);
        }

        // Numbers and switches by their text: PowerShell may have wrapped them.
        public static long Whole(IDictionary map, string name)
        {
            string text = Text(map, name);
            long number = 0;
            if (text.Length > 0 && !long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out number))
            {
                throw Wrong(name);
            }
            return number;
        }

        // False if there is none. Throws HostException, like the others, for another type: to ignore it would leave
        // out a step or the proof.
        public static bool Flag(IDictionary map, string name)
        {
            string text = Text(map, name);
            bool flag = false;
            if (text.Length > 0 && !bool.TryParse(text, out flag))
            {
                throw Wrong(name);
            }
            return flag;
        }

        public static IDictionary Part(IDictionary map, string name)
        {
            return (IDictionary)As<IDictionary>(Value(map, name), name);
        }

        public static IEnumerable<IDictionary> Parts(IDictionary map, string name)
        {
            foreach (object entry in (IList)As<IList>(Value(map, name), name) ?? new object[0])
            {
                yield return (IDictionary)As<IDictionary>(entry ?? "", name);
            }
        }

        private static object As<T>(object value, string name)
        {
            if (value == null || value is T)
            {
                return value;
            }
            throw Wrong(name);
        }

        private static HostException Wrong(string name)
        {
            return new HostException(name + ": not of the type that it has to be");
        }
    }
}
