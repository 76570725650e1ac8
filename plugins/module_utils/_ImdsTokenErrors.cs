// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the answers to a request for a token mean, and what may be told of them. Pure. Twin of _identity/errors.py.
//
// An error of IMDS is told by its code and description; any other body is told by its size only, because a token could
// be in it.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTokenErrors
{
    using Map = Dictionary<string, object>;

    // An error of IMDS or of Entra ID. Error and Description are empty where the body has none. Codes: the numbers of
    // Entra ID's error, such as 500011 for AADSTS500011.
    public sealed class Problem
    {
        private static readonly Regex NamedCode = new Regex(@"\AAADSTS([0-9]{1,9})\b");

        public readonly string Error;
        public readonly string Description;
        public readonly HashSet<long> Codes = new HashSet<long>();

        public Problem(byte[] body)
        {
            Map content = Json.ReadObject(body) ?? new Map();
            Error = TextAt(content, "error");
            Description = TextAt(content, "error_description");
            object listed;
            content.TryGetValue("error_codes", out listed);
            Codes.UnionWith((listed as List<object> ?? new List<object>()).OfType<long>());
            Match named = NamedCode.Match(Description);
            if (named.Success)
            {
                Codes.Add(long.Parse(named.Groups[1].Value, CultureInfo.InvariantCulture));
            }
        }

        private static string TextAt(Map content, string name)
        {
            object value;
            content.TryGetValue(name, out value);
            return value as string ?? "";
        }
    }

    // How a client takes answers to a request for a token. named: the identity was named. identityWait: seconds to wait
    // for an identity that is not known yet.
    public class TokenPolicy : Policy
    {
        // <generated token_rules: make generate>
        public static readonly Dictionary<string, Rule> TokenRules = new Dictionary<string, Rule>
        {
            { "ok", new Rule("ok") },
            { "bad_version", new Rule("bad_version") },
            { "rejected", new Rule("rejected") },
            { "forbidden", new Rule("forbidden") },
            { "missing", new Rule("not_found") },
            { "missing_root", new Rule("not_found", new double[] { 2, 6, 14, 30 }) },
            { "updating", new Rule("updating", new double[] { 10, 10, 10, 10, 10, 10, 10 }) },
            { "throttled", new Rule("throttled", new double[] { 2, 6, 14, 30 }, 0.25) },
            { "server_error", new Rule("server_error", new double[] { 2, 6, 14, 30 }) },
            { "intercepted", new Rule("intercepted", new double[] { 1 }) },
            { "malformed", new Rule("malformed", new double[] { 1 }) },
            { "too_large", new Rule("too_large") },
            { "refused", new Rule("refused", new double[] { 1, 2 }) },
            { "no_route", new Rule("no_route", new double[] { 1, 2 }) },
            { "route_prohibited", new Rule("route_prohibited", new double[] { 1, 2 }) },
            { "connect_timeout", new Rule("connect_timeout", new double[] { 1, 2 }) },
            { "read_timeout", new Rule("read_timeout", new double[] { 2, 6, 14, 30 }) },
            { "reset", new Rule("refused", new double[] { 1, 2, 4 }) },
            { "no_identity", new Rule("no_identity") },
            { "identity_unknown", new Rule("identity_unknown") },
            { "identity_ambiguous", new Rule("identity_ambiguous") },
            { "identity_refused", new Rule("identity_refused") },
            { "resource_unknown", new Rule("resource_unknown") },
        };
        // </generated>

        // Seconds between two looks for an identity that is on its way.
        private const double Look = 5;
        private const int Told = 300;

        // What IMDS sends word for word; no other description is looked at.
        private const string NotFound = "identity not found";
        private const string Several = "multiple user assigned identities exist";

        private static readonly long[] UnknownResource = { 500011, 50001, 65001 };
        private static readonly Regex TokenLike = new Regex(
            @"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*)?|[A-Za-z0-9+=_-]{60,}");

        private readonly bool named;
        private readonly double identityWait;

        public TokenPolicy(bool named, double identityWait) : base(true)
        {
            this.named = named;
            this.identityWait = identityWait;
        }

        public override Dictionary<string, Rule> Rules
        {
            get { return TokenRules; }
        }

        public override string Classify(Response response)
        {
            string kind = response.Header("content-type").ToLowerInvariant();
            if (response.Status == 500 && kind.StartsWith("text/plain", StringComparison.Ordinal))
            {
                return "server_error";  // IMDS restarts, and what is in front of it says so
            }
            if (response.Status == 403 && Beginning(response.Body).Contains("unreachable"))
            {
                return "intercepted";  // Docker Desktop answers in its place
            }
            string general = base.Classify(response);
            if (general != "rejected" && general != "forbidden")
            {
                return general;
            }
            Problem problem = new Problem(response.Body);
            string description = problem.Description.Trim().ToLowerInvariant();
            if (description == NotFound)
            {
                return named ? "identity_unknown" : "no_identity";
            }
            if (description.StartsWith(Several, StringComparison.Ordinal))
            {
                return "identity_ambiguous";
            }
            if (problem.Error == "invalid_resource" || problem.Codes.Overlaps(UnknownResource))
            {
                return "resource_unknown";
            }
            bool refused = problem.Error == "unauthorized_client" || problem.Error == "access_denied";
            return refused || problem.Codes.Count > 0 ? "identity_refused" : general;
        }

        // Status, and the error if it is one of IMDS.
        public override string Describe(Response response)
        {
            if (response.Status == 200)
            {
                return "HTTP 200";
            }
            Problem problem = new Problem(response.Body);
            string[] words = new[] { problem.Error, problem.Description }
                .Where(word => word.Length > 0).Select(Redact).ToArray();
            if (words.Length > 0)
            {
                return "HTTP " + response.Status + ": " + Text.Beginning(string.Join(": ", words), Told);
            }
            int size = response.Body.Length;
            return "HTTP " + response.Status + (size > 0 ? " with " + size + " bytes" : "");
        }

        // As documented for tokens; Retry-After is obeyed with every answer that is worth another try.
        public override double? Wait(string outcome, int tries, string retryAfter, double chance, double elapsed)
        {
            if (outcome == "no_identity" || outcome == "identity_unknown")
            {
                double rest = identityWait - elapsed;
                return rest > 0 ? Math.Min(Look, rest) : (double?)null;
            }
            Rule rule = Rules[outcome];
            if (tries > rule.Waits.Length)
            {
                return null;
            }
            return Retry.Seconds(retryAfter) ?? rule.Waits[tries - 1] * (1 + rule.Jitter * chance);
        }

        // The text without what looks like a token.
        public static string Redact(string text)
        {
            return TokenLike.Replace(text, "[redacted]");
        }

        private static string Beginning(byte[] body)
        {
            return Transport.Latin1.GetString(body, 0, Math.Min(1024, body.Length)).ToLowerInvariant();
        }
    }
}
