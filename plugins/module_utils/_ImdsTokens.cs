// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Access tokens: what an answer holds, what a token says about itself, and how long it is good for. Pure. Twin of
// _identity/tokens.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenRequest;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTokens
{
    using Map = Dictionary<string, object>;

    // An answer that holds no usable token. Its text never quotes the answer.
    public sealed class TokenException : Exception
    {
        public TokenException(string problem) : base(problem)
        {
        }
    }

    // An access token. Value: the token itself. Resource: what it is for. ExpiresOn, StartsOn: Unix seconds; StartsOn
    // is null where it is not known. ClientId: of the identity.
    public sealed class Token
    {
        public const string Kind = "Bearer";

        // Seconds. A token that lives shorter than the first is used up to the second, as Microsoft's own clients do.
        private const double LongLived = 7200;
        private const double ShortRest = 300;

        public readonly string Value;
        public readonly string Resource;
        public readonly long ExpiresOn;
        public readonly long? StartsOn;
        public readonly string ClientId;
        public readonly Map Claims;

        public Token(string value, string resource, long expiresOn, long? startsOn, string clientId)
        {
            Value = value;
            Resource = resource;
            ExpiresOn = expiresOn;
            Claims = Tokens.Claims(value);
            object notBefore;
            Claims.TryGetValue("nbf", out notBefore);
            StartsOn = startsOn ?? Tokens.Moment(notBefore);
            ClientId = Claim("appid") ?? Claim("azp") ?? clientId;
        }

        public override string ToString()
        {
            return "<Token for " + Resource + " until " + ExpiresAt + ">";
        }

        public string ObjectId
        {
            get { return Claim("oid"); }
        }

        public string TenantId
        {
            get { return Claim("tid"); }
        }

        // Resource ID of the identity, which is the VM itself for a system-assigned one.
        public string Identity
        {
            get { return Claim("xms_mirid"); }
        }

        // ISO 8601, UTC.
        public string ExpiresAt
        {
            get { return Tokens.Iso(ExpiresOn); }
        }

        // Seconds until it expires; not below 0.
        public long Lives(double now)
        {
            return Math.Max((long)Math.Truncate(ExpiresOn - now), 0);
        }

        // Whether it lives that many more seconds; without a minimum, half of its life if that is long.
        public bool LivesLongEnough(long? minimum, double now)
        {
            double life = ExpiresOn - (StartsOn ?? now);
            double needed = minimum ?? (life >= LongLived ? Math.Truncate(life / 2) : ShortRest);
            return Lives(now) > 0 && Lives(now) >= needed;
        }

        // Whether it belongs to that identity. False where it does not say.
        public bool IsOf(Selector selector)
        {
            string told = selector.Kind == "client_id" ? ClientId
                : selector.Kind == "object_id" ? ObjectId
                : Identity;
            return told != null
                && told.TrimEnd('/').ToLowerInvariant() == selector.Value.TrimEnd('/').ToLowerInvariant();
        }

        // Whether both are for the same resource and of the same identity. False where one does not say.
        public bool IsLike(Token other)
        {
            string ours = ObjectId ?? ClientId;
            return ours != null && ours == (other.ObjectId ?? other.ClientId) && Resource == other.Resource;
        }

        private string Claim(string name)
        {
            object value;
            Claims.TryGetValue(name, out value);
            return string.IsNullOrEmpty(value as string) ? null : (string)value;
        }
    }

    public static class Tokens
    {
        private const long Latest = 253402300799;  // the last second that a date can name

        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        // What can stand in a header and in a file without quoting.
        private static readonly Regex Usable = new Regex(@"\A[!-~]+\z");
        private static readonly Regex Number = new Regex(@"\A[0-9]{1,18}(?:\.[0-9]*)?\z");
        private static readonly Regex UrlSafe = new Regex(@"\A[A-Za-z0-9_-]*\z");
        // As App Service wrote expires_on, with 24 and with 12 hours.
        private static readonly Regex Date = new Regex(
            @"\A([0-9]{1,2}/[0-9]{1,2}/[0-9]{4}) +([0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})( +[AP]M)? +"
            + @"(?:Z|([+-][0-9]{2}):?([0-9]{2}))\z");

        // The token in an answer of IMDS. Times may be numbers or text; one of them is enough. resource: what was asked
        // for. now: Unix seconds, for an answer that only says how long the token lives. Throws TokenException.
        public static Token Read(Map answer, string resource, double now)
        {
            string value = At(answer, "access_token") as string;
            string kind = At(answer, "token_type") as string;
            if (value == null || !Usable.IsMatch(value))
            {
                throw new TokenException("the answer has no access_token that can be used");
            }
            if (!string.IsNullOrEmpty(kind) && !kind.Equals(Token.Kind, StringComparison.OrdinalIgnoreCase))
            {
                throw new TokenException("the answer's token_type is not Bearer");
            }
            long? expiresOn = Moment(At(answer, "expires_on"));
            long? expiresIn = Moment(At(answer, "expires_in"));
            expiresOn = expiresOn ?? (long)now + expiresIn ?? Moment(At(Claims(value), "exp"));
            if (expiresOn == null || expiresOn > Latest)
            {
                throw new TokenException("the answer does not say when the token expires");
            }
            string clientId = At(answer, "client_id") as string;
            clientId = string.IsNullOrEmpty(clientId) ? null : clientId;
            return new Token(value, resource, expiresOn.Value, Moment(At(answer, "not_before")), clientId);
        }

        // What a token says about itself, unverified; nothing where it is not a JWT.
        public static Map Claims(string value)
        {
            string[] parts = value.Split('.');
            if (parts.Length != 3 || !UrlSafe.IsMatch(parts[1]) || parts[1].Length % 4 == 1)
            {
                return new Map();
            }
            string digits = parts[1].Replace('-', '+').Replace('_', '/');
            byte[] text = Convert.FromBase64String(digits + new string('=', (4 - digits.Length % 4) % 4));
            return Json.ReadObject(text) ?? new Map();
        }

        // Seconds from a number, from digits or from a date; null for anything else, and for what is below 0.
        public static long? Moment(object value)
        {
            if (value is long || value is double)
            {
                double number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
                return number >= 0 && number <= Latest ? (long)number : (long?)null;
            }
            string text = value as string;
            if (text == null)
            {
                return null;
            }
            if (Number.IsMatch(text))
            {
                return long.Parse(text.Split('.')[0], CultureInfo.InvariantCulture);
            }
            Match match = Date.Match(text);
            // .NET takes hour 0 of the afternoon for noon.
            if (!match.Success || (match.Groups[3].Success && match.Groups[2].Value.TrimStart('0')[0] == ':'))
            {
                return null;
            }
            string date = match.Groups[1].Value + " " + match.Groups[2].Value + " " + match.Groups[3].Value.Trim();
            string form = match.Groups[3].Success ? "M/d/yyyy h:m:s tt" : "M/d/yyyy H:m:s";
            DateTime local;
            if (!DateTime.TryParseExact(
                date.Trim(), form, CultureInfo.InvariantCulture, DateTimeStyles.None, out local))
            {
                return null;
            }
            double hours = Offset(match.Groups[4].Value);
            double minutes = Math.Abs(Offset(match.Groups[5].Value));
            bool west = match.Groups[4].Value.StartsWith("-", StringComparison.Ordinal);
            long ahead = (long)(hours * 3600 + (west ? -minutes : minutes) * 60);
            long seconds = (long)(local - Epoch).TotalSeconds - ahead;
            return seconds >= 0 ? seconds : (long?)null;
        }

        public static string Iso(long seconds)
        {
            return Epoch.AddSeconds(Math.Min(seconds, Latest))
                .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }

        // The content of a file. form: token, the token alone and no end of line; json, an object as IMDS sends it;
        // header, a header line.
        public static byte[] Render(Token token, string form)
        {
            if (form == "token")
            {
                return Encoding.ASCII.GetBytes(token.Value);
            }
            if (form == "header")
            {
                return Encoding.ASCII.GetBytes(Header + token.Value + "\n");
            }
            string[][] fields =
            {
                new[] { "access_token", token.Value },
                new[] { "client_id", token.ClientId ?? "" },
                new[] { "expires_on", token.ExpiresOn.ToString(CultureInfo.InvariantCulture) },
                new[] { "not_before", Convert.ToString(token.StartsOn, CultureInfo.InvariantCulture) },
                new[] { "resource", token.Resource },
                new[] { "token_type", Token.Kind },
            };
            IEnumerable<string> lines = fields.Select(field => "  \"" + field[0] + "\": " + Quote(field[1]));
            return Encoding.ASCII.GetBytes("{\n" + string.Join(",\n", lines) + "\n}\n");
        }

        // The token in a file that Render wrote; null for anything else, and for a token that does not say its purpose.
        public static Token Parse(byte[] content, string form)
        {
            if (content.Any(each => each > 127))
            {
                return null;
            }
            Map fields = form == "json"
                ? Json.ReadObject(content)
                : new Map { { "access_token", Bare(Encoding.ASCII.GetString(content), form) } };
            string value = fields == null ? null : At(fields, "access_token") as string;
            if (value == null)
            {
                return null;
            }
            Map claims = Claims(value);
            string told = (claims.ContainsKey("aud") ? claims["aud"] : At(fields, "resource")) as string;
            if (told == null)
            {
                return null;
            }
            try
            {
                Token token = Read(fields, told, 0);
                return Render(token, form).SequenceEqual(content) ? token : null;
            }
            catch (TokenException)
            {
                return null;
            }
        }

        private const string Header = "Authorization: " + Token.Kind + " ";

        private static string Bare(string text, string form)
        {
            bool header = form == "header" && text.StartsWith(Header, StringComparison.Ordinal)
                && text.Length > Header.Length;
            return header ? text.Substring(Header.Length, text.Length - Header.Length - 1) : text;
        }

        // A string as JSON, in ASCII.
        private static string Quote(string text)
        {
            StringBuilder quoted = new StringBuilder("\"");
            foreach (char character in text)
            {
                int known = "\"\\\b\f\n\r\t".IndexOf(character);
                quoted.Append(
                    known >= 0 ? "\\" + "\"\\bfnrt"[known]
                    : character >= ' ' && character <= '~' ? character.ToString()
                    : "\\u" + ((int)character).ToString("x4"));
            }
            return quoted.Append('"').ToString();
        }

        private static double Offset(string digits)
        {
            return digits.Length == 0 ? 0 : double.Parse(digits, CultureInfo.InvariantCulture);
        }

        private static object At(Map fields, string name)
        {
            object value;
            fields.TryGetValue(name, out value);
            return value;
        }
    }
}
