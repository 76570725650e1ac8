// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// A strict JSON parser, because those of the runtimes differ: Windows PowerShell's accepts broken documents, turns some
// strings into dates and dies on deep ones; PowerShell 7's fails on numbers that do not fit.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsJson
{
    // What is wrong, and where it applies, at which character.
    public sealed class JsonException : Exception
    {
        public JsonException(string problem) : base(problem)
        {
        }
    }

    // A rule of our own, not JSON's: nested too deeply.
    public sealed class DepthException : Exception
    {
    }

    // Another one: more values than the caller accepts.
    public sealed class CountException : Exception
    {
    }

    // Objects become Dictionary<string, object>, arrays List<object>, numbers long if they are whole and fit, else
    // double.
    public sealed class Json
    {
        public const int MaxDepth = 64;

        private static readonly Regex NumberPattern = new Regex(
            @"\G-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?");
        private static readonly UTF8Encoding StrictUtf8 = new UTF8Encoding(false, true);

        private readonly string text;
        private int at;
        private int count;

        private Json(string text)
        {
            this.text = text;
        }

        // Throws JsonException or DepthException, and CountException for more values than most.
        public static object Parse(string text, int most = int.MaxValue)
        {
            Json json = new Json(text);
            object value = json.Value(1);
            json.SkipBlanks();
            if (json.at != text.Length)
            {
                return json.Fail<object>("something follows the document");
            }
            if (json.count > most)
            {
                throw new CountException();
            }
            return value;
        }

        // The text of UTF-8 bytes, or null if they are not UTF-8.
        public static string Decode(byte[] bytes)
        {
            try
            {
                return StrictUtf8.GetString(bytes);
            }
            catch (DecoderFallbackException)
            {
                return null;
            }
        }

        // The JSON object of an answer's body; null for anything else.
        public static Dictionary<string, object> ReadObject(byte[] body)
        {
            try
            {
                return Parse(Decode(body) ?? "") as Dictionary<string, object>;
            }
            catch (JsonException)
            {
                return null;
            }
            catch (DepthException)
            {
                return null;
            }
        }

        private T Fail<T>(string problem)
        {
            throw new JsonException(problem + " (character " + at + ")");
        }

        private void SkipBlanks()
        {
            while (at < text.Length && " \t\n\r".IndexOf(text[at]) >= 0)
            {
                at++;
            }
        }

        // The next character that is no blank, or NUL at the end.
        private char Peek()
        {
            SkipBlanks();
            return at < text.Length ? text[at] : '\0';
        }

        private bool Skip(char character)
        {
            bool there = Peek() == character && at < text.Length;
            at += there ? 1 : 0;
            return there;
        }

        private void Expect(char character)
        {
            if (!Skip(character))
            {
                Fail<object>("'" + character + "' is expected");
            }
        }

        private object Value(int depth)
        {
            if (depth > MaxDepth)
            {
                throw new DepthException();
            }
            count++;
            switch (Peek())
            {
                case '{':
                    return Object(depth);
                case '[':
                    return Array(depth);
                case '"':
                    return String();
                case 't':
                    return Word("true", true);
                case 'f':
                    return Word("false", false);
                case 'n':
                    return Word("null", null);
                default:
                    return Number();
            }
        }

        private object Word(string word, object value)
        {
            if (string.CompareOrdinal(text, at, word, 0, word.Length) != 0)
            {
                return Fail<object>("a value is expected");
            }
            at += word.Length;
            return value;
        }

        private object Object(int depth)
        {
            Dictionary<string, object> found = new Dictionary<string, object>();
            Expect('{');
            if (Skip('}'))
            {
                return found;
            }
            do
            {
                if (Peek() != '"')
                {
                    return Fail<object>("a name is expected");
                }
                string name = String();
                Expect(':');
                found[name] = Value(depth + 1);
            }
            while (Skip(','));
            Expect('}');
            return found;
        }

        private object Array(int depth)
        {
            List<object> found = new List<object>();
            Expect('[');
            if (Skip(']'))
            {
                return found;
            }
            do
            {
                found.Add(Value(depth + 1));
            }
            while (Skip(','));
            Expect(']');
            return found;
        }

        private object Number()
        {
            Match match = NumberPattern.Match(text, at);
            if (!match.Success)
            {
                return Fail<object>("a value is expected");
            }
            at += match.Length;
            long whole;
            // It has no blanks, and no point or exponent where it is whole: the styles only have to take all numbers.
            if (long.TryParse(match.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole))
            {
                return whole;
            }
            double number;
            bool fits = double.TryParse(match.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
            return fits && !double.IsInfinity(number) ? number : Fail<object>("a number is too large");
        }

        private string String()
        {
            StringBuilder found = new StringBuilder();
            for (at++; at < text.Length && text[at] != '"'; at++)
            {
                if (text[at] < ' ')
                {
                    return Fail<string>("a control character is not escaped");
                }
                found.Append(text[at] == '\\' ? Escaped() : text[at]);
            }
            if (at == text.Length)
            {
                return Fail<string>("a string does not end");
            }
            at++;
            return WellFormed(found.ToString());
        }

        // The character that an escape stands for; at is left on the escape's last character.
        private char Escaped()
        {
            at++;
            int known = at < text.Length ? "\"\\/bfnrt".IndexOf(text[at]) : -1;
            if (known >= 0)
            {
                return "\"\\/\b\f\n\r\t"[known];
            }
            int code = 0;
            if (at + 4 >= text.Length || text[at] != 'u')
            {
                return Fail<char>("an escape is not known");
            }
            for (int end = at + 4; at < end; at++)
            {
                int digit = "0123456789abcdef".IndexOf(char.ToLowerInvariant(text[at + 1]));
                code = digit < 0 ? Fail<int>("an escape is not known") : code * 16 + digit;
            }
            return (char)code;
        }

        // Half of a surrogate pair can't be handed on.
        private string WellFormed(string value)
        {
            for (int index = 0; index < value.Length; index++)
            {
                if (char.IsSurrogatePair(value, index))
                {
                    index++;
                }
                else if (char.IsSurrogate(value[index]))
                {
                    return Fail<string>("half of a character");
                }
            }
            return value;
        }
    }
}
