// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Values as text: in messages as Python spells them, so that both cores say the same; MAC addresses as Ansible
// does.

using System;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsText
{
    public static class Text
    {
        private static readonly UnicodeCategory[] Unprintable =
        {
            UnicodeCategory.Control,
            UnicodeCategory.Format,
            UnicodeCategory.LineSeparator,
            UnicodeCategory.OtherNotAssigned,
            UnicodeCategory.ParagraphSeparator,
            UnicodeCategory.PrivateUse,
            UnicodeCategory.SpaceSeparator,
            UnicodeCategory.Surrogate,
        };

        // With at most so many significant digits.
        public static string Number(double value, int digits)
        {
            return value.ToString("g" + digits, CultureInfo.InvariantCulture);
        }

        public static string Quote(object value)
        {
            if (value is string)
            {
                return QuoteString((string)value);
            }
            bool fraction = value is float || value is double;
            return fraction ? Exact(ToDouble(value)) : Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        // The text with escapes for what does not print, such as \x1b: what answers must not control a terminal.
        public static string Printable(string text)
        {
            StringBuilder shown = new StringBuilder();
            for (int at = 0; at < text.Length; at++)
            {
                if (char.IsSurrogatePair(text, at))
                {
                    bool prints = !Unprintable.Contains(CharUnicodeInfo.GetUnicodeCategory(text, at));
                    shown.Append(prints ? text.Substring(at, 2) : "\\U" + char.ConvertToUtf32(text, at).ToString("x8"));
                    at++;
                }
                else
                {
                    shown.Append(text[at] == '\\' ? "\\" : QuoteCharacter(text[at], '\\'));
                }
            }
            return shown.ToString();
        }

        // The first so many characters.
        public static string Beginning(string text, int count)
        {
            int at = 0;
            while (at < text.Length && count-- > 0)
            {
                at += char.IsSurrogatePair(text, at) ? 2 : 1;
            }
            return text.Substring(0, at);
        }

        // What a number is meant to be: Ansible hands on floats of 4 bytes, whose 0.1 would become 0.100000001490116.
        public static double ToDouble(object value)
        {
            if (value is float)
            {
                string text = ((float)value).ToString("R", CultureInfo.InvariantCulture);
                return double.Parse(text, CultureInfo.InvariantCulture);
            }
            return Convert.ToDouble(value, CultureInfo.InvariantCulture);
        }

        // 000D3AF806EC -> 00:0d:3a:f8:06:ec. What is no MAC address stays as it is; null for nothing.
        public static string Mac(string text)
        {
            string digits = Regex.Replace((text ?? "").ToLowerInvariant(), "[^0-9a-f]", "");
            string same = string.IsNullOrEmpty(text) ? null : text;
            return digits.Length == 12 ? Regex.Replace(digits, "..(?!$)", "$0:") : same;
        }

        private static string Exact(double value)
        {
            if (double.IsNaN(value) || double.IsInfinity(value))
            {
                return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
            }
            string text = value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
            return text.IndexOfAny(new[] { '.', 'e' }) < 0 ? text + ".0" : text;
        }

        private static string QuoteString(string text)
        {
            char mark = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
            StringBuilder quoted = new StringBuilder().Append(mark);
            for (int at = 0; at < text.Length; at++)
            {
                if (char.IsSurrogatePair(text, at))
                {
                    quoted.Append(text, at++, 2);
                }
                else
                {
                    quoted.Append(QuoteCharacter(text[at], mark));
                }
            }
            return quoted.Append(mark).ToString();
        }

        private static string QuoteCharacter(char character, char mark)
        {
            int plain = "\\\n\r\t".IndexOf(character);
            if (plain >= 0)
            {
                return "\\" + "\\nrt"[plain];
            }
            if (character == mark)
            {
                return "\\" + character;
            }
            if (character == ' ' || !Unprintable.Contains(CharUnicodeInfo.GetUnicodeCategory(character)))
            {
                return character.ToString();
            }
            return character < 256 ? "\\x" + ((int)character).ToString("x2") : "\\u" + ((int)character).ToString("x4");
        }
    }
}
