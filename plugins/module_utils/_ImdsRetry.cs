// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What follows an answer or an error: wait and retry, or stop, and for which reason. A pure table. Twin of
// _imds/retry.py.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRetry
{
    // Reason: a key of Reasons. Waits: seconds before each further try. Jitter: share added at random.
    public sealed class Rule
    {
        public readonly string Reason;
        public readonly double[] Waits;
        public readonly double Jitter;

        public Rule(string reason, double[] waits = null, double jitter = 0)
        {
            Reason = reason;
            Waits = waits ?? new double[0];
            Jitter = jitter;
        }
    }

    // How a client takes answers: what each means, what may be told of it, and how long to wait after it.
    // root: every VM has the path that is asked for.
    public class Policy
    {
        private readonly bool root;

        public Policy(bool root)
        {
            this.root = root;
        }

        public virtual Dictionary<string, Rule> Rules
        {
            get { return Retry.Rules; }
        }

        // The key of Rules for a response.
        public virtual string Classify(Response response)
        {
            return Retry.Classify(response, root);
        }

        // What the log of attempts and messages say of a response.
        public virtual string Describe(Response response)
        {
            string text = Encoding.UTF8.GetString(response.Body, 0, Math.Min(200, response.Body.Length)).Trim();
            return "HTTP " + response.Status + (response.Status != 200 && text.Length > 0 ? ": " + text : "");
        }

        // Seconds to wait before the next try, or null to stop; see Retry.Wait. elapsed: seconds since the operation
        // began; here the number of tries decides.
        public virtual double? Wait(string outcome, int tries, string retryAfter, double chance, double elapsed)
        {
            return Retry.Wait(outcome, tries, retryAfter, chance);
        }
    }

    public static class Retry
    {
        // <generated rules: make generate>
        public static readonly Dictionary<string, Rule> Rules = new Dictionary<string, Rule>
        {
            { "ok", new Rule("ok") },
            { "bad_version", new Rule("bad_version") },
            { "rejected", new Rule("rejected") },
            { "forbidden", new Rule("forbidden") },
            { "missing", new Rule("not_found") },
            { "missing_root", new Rule("not_found", new double[] { 1, 2, 4 }) },
            { "updating", new Rule("updating", new double[] { 10, 10, 10, 10, 10, 10, 10 }) },
            { "throttled", new Rule("throttled", new double[] { 1, 2, 4, 8 }, 0.25) },
            { "server_error", new Rule("server_error", new double[] { 1, 2, 4 }) },
            { "intercepted", new Rule("intercepted", new double[] { 1 }) },
            { "malformed", new Rule("malformed", new double[] { 1 }) },
            { "too_large", new Rule("too_large") },
            { "refused", new Rule("refused", new double[] { 1, 2 }) },
            { "no_route", new Rule("no_route", new double[] { 1, 2 }) },
            { "route_prohibited", new Rule("route_prohibited", new double[] { 1, 2 }) },
            { "connect_timeout", new Rule("connect_timeout", new double[] { 1, 2 }) },
            { "read_timeout", new Rule("read_timeout", new double[] { 1, 2, 4 }) },
            { "reset", new Rule("refused", new double[] { 1, 2, 4 }) },
        };
        // </generated>

        // A status that means the same whatever the body says.
        // <generated statuses: make generate>
        public static readonly Dictionary<int, string> ByStatus = new Dictionary<int, string>
        {
            { 200, "ok" },
            { 401, "forbidden" },
            { 403, "forbidden" },
            { 405, "rejected" },
            { 407, "intercepted" },
            { 408, "server_error" },
            { 410, "updating" },
            { 421, "forbidden" },
            { 429, "throttled" },
            { 511, "intercepted" },
        };
        // </generated>

        // How the Server header of IMDS and of its front end begins.
        private static readonly string[] Servers = { "imds", "microsoft-iis", "microsoft-httpapi" };

        // The key of Rules for a response.
        // root: the path is one that every VM has, so that 404 means "not now" and not "not here".
        public static string Classify(Response response, bool root)
        {
            if (IsForeign(response))
            {
                return "intercepted";
            }
            if ((response.Status == 400 || response.Status == 404) && NamesVersion(response.Body))
            {
                return "bad_version";
            }
            if (response.Status == 404)
            {
                return root ? "missing_root" : "missing";
            }
            string outcome;
            if (ByStatus.TryGetValue(response.Status, out outcome))
            {
                return outcome;
            }
            return response.Status >= 500 ? "server_error" : response.Status >= 400 ? "rejected" : "intercepted";
        }

        // Whether IMDS, or its front end, says that the answer is its own.
        public static bool IsFromImds(Response response)
        {
            return !IsForeign(response) && StartsWith(response.Header("server").ToLowerInvariant(), Servers);
        }

        // True for what IMDS never sends: a proxy's header or redirect, an HTML page other than its front end's.
        public static bool IsForeign(Response response)
        {
            if (response.Headers.ContainsKey("via") || response.Headers.ContainsKey("location"))
            {
                return true;
            }
            if (Beginning(response.Body, 1024).Contains("Required metadata header not specified"))
            {
                return true;  // we sent it, somebody took it off
            }
            string server = response.Header("server").ToLowerInvariant();
            if (StartsWith(server, Servers))
            {
                return false;
            }
            if (server.Length > 0 && response.Status >= 400)
            {
                return true;  // a refusal or an error counts only from IMDS itself
            }
            string page = Beginning(response.Body, 256).TrimStart(" \t\n\r\v\f".ToCharArray()).ToLowerInvariant();
            return StartsWith(page, "<!doctype html", "<html")
                || response.Header("content-type").ToLowerInvariant().Contains("html");
        }

        private static bool StartsWith(string text, params string[] starts)
        {
            return starts.Any(start => text.StartsWith(start, StringComparison.Ordinal));
        }

        private static bool NamesVersion(byte[] body)
        {
            string text = Beginning(body, 1024).ToLowerInvariant();
            return text.Contains("newest-versions")
                || text.Contains("invalid version")
                || text.Contains("api-version is invalid");
        }

        private static string Beginning(byte[] body, int length)
        {
            return Transport.Latin1.GetString(body, 0, Math.Min(length, body.Length));
        }

        // The versions that a version error offers, newest first; empty where it offers none.
        public static List<string> NewestVersions(byte[] body)
        {
            Dictionary<string, object> error = Json.ReadObject(body);
            object offered = null;
            if (error != null)
            {
                error.TryGetValue("newest-versions", out offered);
            }
            IEnumerable<object> names = offered as List<object> ?? new List<object>();
            return names.OfType<string>().Where(name => name.Length == 10)
                .OrderByDescending(name => name, StringComparer.Ordinal).ToList();
        }

        // The header of that name as seconds; null where it is a date or absurd.
        public static double? Seconds(string retryAfter)
        {
            bool usable = !string.IsNullOrEmpty(retryAfter) && retryAfter.Length < 10 && retryAfter.All(Reader.IsDigit);
            return usable ? double.Parse(retryAfter, CultureInfo.InvariantCulture) : (double?)null;
        }

        // Seconds to wait before the next try, or null to stop.
        // tries: how many times this outcome was seen, this one included. retryAfter: the header of that name, honoured
        // where it is a number of seconds. chance: random number from 0 to 1, for the jitter.
        public static double? Wait(string outcome, int tries, string retryAfter, double chance)
        {
            Rule rule = Rules[outcome];
            if (tries > rule.Waits.Length)
            {
                return null;
            }
            if (rule.Reason == "throttled" && !string.IsNullOrEmpty(retryAfter) && retryAfter.All(Reader.IsDigit))
            {
                double seconds;
                // .NET Framework throws for what is out of range.
                return double.TryParse(retryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out seconds)
                    ? seconds
                    : double.PositiveInfinity;
            }
            return rule.Waits[tries - 1] * (1 + rule.Jitter * chance);
        }
    }
}
