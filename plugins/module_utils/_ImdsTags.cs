// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Tags as IMDS sends them -> one dictionary. Pure. Twin of _imds/tags.py.

using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTags
{
    public static class Tags
    {
        // A string as it is; a whole number or a switch, which IMDS sends as strings, as it spells them; "" else.
        public static string Text(object value)
        {
            if (value is bool)
            {
                return (bool)value ? "true" : "false";
            }
            return value is long ? ((long)value).ToString(CultureInfo.InvariantCulture) : value as string ?? "";
        }

        // [{"name": ..., "value": ...}] -> {name: value}; entries of another shape are left out.
        public static Dictionary<string, object> FromList(object tagsList)
        {
            Dictionary<string, object> found = new Dictionary<string, object>();
            List<object> entries = tagsList as List<object> ?? new List<object>();
            foreach (Dictionary<string, object> entry in entries.OfType<Dictionary<string, object>>())
            {
                object name, value;
                if (entry.TryGetValue("name", out name) && name is string)
                {
                    entry.TryGetValue("value", out value);
                    found[(string)name] = Text(value);
                }
            }
            return found;
        }

        // "Name:Value;Name:Value" -> {name: value}.
        // Semicolons and colons are legal in values. A part without a colon can only be the rest of the value before
        // it, so that is what it is taken for; where that happens, or a value holds a colon, the split may be wrong:
        // ambiguous.
        public static Dictionary<string, object> FromString(string tags, out bool ambiguous)
        {
            Dictionary<string, List<string>> found = new Dictionary<string, List<string>>();
            List<string> last = null;
            ambiguous = false;
            foreach (string part in tags.Length > 0 ? tags.Split(';') : new string[0])
            {
                int colon = part.IndexOf(':');
                if (colon > 0)
                {
                    string name = part.Substring(0, colon);
                    string value = part.Substring(colon + 1);
                    ambiguous = ambiguous || value.Contains(":") || found.ContainsKey(name);
                    found[name] = last = new List<string> { value };
                }
                else
                {
                    if (last != null)
                    {
                        last.Add(part);
                    }
                    ambiguous = true;
                }
            }
            return found.ToDictionary(entry => entry.Key, entry => (object)string.Join(";", entry.Value));
        }
    }
}
