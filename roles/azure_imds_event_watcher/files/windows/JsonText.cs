// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Writes JSON in ASCII: what _ImdsJson.cs reads, and what commands get.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Imds.EventWatcher
{
    public static class JsonText
    {
        public static string Write(object value)
        {
            if (value == null)
            {
                return "null";
            }
            if (value is bool)
            {
                return (bool)value ? "true" : "false";
            }
            if (value is string)
            {
                return Quote((string)value);
            }
            if (value is double)
            {
                return ((double)value).ToString("R", CultureInfo.InvariantCulture);
            }
            IDictionary map = value as IDictionary;
            if (map != null)
            {
                IEnumerable<string> members = map.Keys.Cast<string>()
                    .Select(name => Quote(name) + ": " + Write(map[name]));
                return "{" + string.Join(", ", members) + "}";
            }
            IEnumerable list = value as IEnumerable;
            if (list != null)
            {
                return "[" + string.Join(", ", list.Cast<object>().Select(Write)) + "]";
            }
            return Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        private static string Quote(string text)
        {
            IEnumerable<string> characters = text.Select(
                character => character == '"' || character == '\\' ? "\\" + character
                    : character >= ' ' && character <= '~' ? character.ToString()
                    : "\\u" + ((int)character).ToString("x4", CultureInfo.InvariantCulture));
            return "\"" + string.Concat(characters) + "\"";
        }
    }
}
