// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Asks IMDS within one deadline, paced, with retries by the table and steps down the version ladder, and keeps a log of
// the attempts. Twin of _imds/client.py.

using System;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsClient
{
    // Content: parsed JSON, or text. ApiVersion: the one that was used. LocalAddress: where it was received.
    public sealed class ImdsAnswer
    {
        public readonly object Content;
        public readonly string ApiVersion;
        public readonly string LocalAddress;

        public ImdsAnswer(object content, string apiVersion, string localAddress)
        {
            Content = content;
            ApiVersion = apiVersion;
            LocalAddress = localAddress;
        }
    }

    // A 200 whose content can't be used. Outcome: a key of the policy's rules.
    public sealed class UnusableException : Exception
    {
        public readonly string Outcome;

        public UnusableException(string outcome, string detail) : base(detail)
        {
            Outcome = outcome;
        }
    }

    internal sealed class VersionException : ImdsException
    {
        public readonly List<string> Offered;

        public VersionException(string version, List<string> offered)
            : base("bad_version", "IMDS does not accept api-version " + (version ?? "None") + Known(offered))
        {
            Offered = offered;
        }

        private static string Known(List<string> offered)
        {
            return offered.Count > 0 ? "; it offers " + string.Join(", ", offered.Take(5)) : "";
        }
    }

    // One attempt: its outcome, that in words, and what was received.
    internal sealed class Seen
    {
        private string detail;

        public string Outcome;
        public string Detail
        {
            get { return detail; }
            set { detail = Text.Printable(value); }
        }

        public Response Response;
        public object Content;
        public string SilentOn;
    }

    // One operation against IMDS. Its deadline starts with the constructor.
    // Requests counts what was sent; Attempts is the log: path, api_version, outcome, status, detail and wait of each.
    public sealed class Client
    {
        public const string Version = "0.2.0";

        // IMDS takes 5 requests per second from all programs of a VM together.
        public const double Pace = 0.25;

        // Seconds for each address in the search for the right source: if IMDS answers at all, it takes milliseconds.
        public const double ProbeTimeout = 2;

        private const int MostSources = 3;
        // With as many disks, addresses and tags as Azure allows, a document has fewer than half of them.
        public const int MaxValues = 20000;

        // Seconds after which a module says how long it took.
        private const double Long = 10;

        public int Requests;
        public readonly List<object> Attempts = new List<object>();

        private readonly World world;
        private Settings settings;
        private double started;
        private double limit;
        private double? lastRequest;

        public Client(Settings settings, World world)
        {
            this.world = world;
            Restart(settings);
        }

        // Begin another operation, with its own deadline and times. Pace, counts and log go on.
        public void Restart(Settings other)
        {
            settings = other;
            started = world.Clock();
            limit = settings.Timeout;
        }

        public double Elapsed
        {
            get { return world.Clock() - started; }
        }

        // Seconds until the deadline.
        public double Remaining
        {
            get { return limit - Elapsed; }
        }

        // The instance document, a dictionary with compute or network. Throws ImdsException.
        public ImdsAnswer Instance()
        {
            return Versioned(ImdsPath.Instance, ReadInstance, "");
        }

        // The load balancer document, {"loadbalancer": {...}}. Throws ImdsException: not_found where the VM is behind
        // none.
        public ImdsAnswer LoadBalancer()
        {
            return Versioned(ImdsPath.LoadBalancer, ReadObject, "");
        }

        // The attested document over a nonce (Options.Nonce), {"encoding": ..., "signature": ...}. Nothing is verified.
        // Throws ImdsException.
        public ImdsAnswer Attested(string nonce)
        {
            return Versioned(ImdsPath.Attested, ReadObject, "&nonce=" + nonce);
        }

        // Whatever is at a path: parsed JSON, or a leaf's text. Throws ImdsException.
        public ImdsAnswer Fetch(ImdsPath path)
        {
            if (path.Since.Length == 0)
            {
                Seen seen = Persist(path, null, ReadJson, "");
                return new ImdsAnswer(seen.Content, null, seen.Response.LocalAddress);
            }
            // A leaf has no JSON form: IMDS rejects the request, and gives it as text only.
            try
            {
                return Fetch(path, path.Leaf);
            }
            catch (ImdsException error)
            {
                if (error.Reason.Code != "rejected" || !path.Whole.StartsWith("instance/", StringComparison.Ordinal))
                {
                    throw;
                }
            }
            return Fetch(path, !path.Leaf);
        }

        private ImdsAnswer Fetch(ImdsPath path, bool asText)
        {
            return asText ? Versioned(path, ReadText, "&format=text") : Versioned(path, ReadJson, "");
        }

        // A warning if this took long, else nothing. It says how long, and how often what was seen.
        public List<string> LongWaits()
        {
            List<string> warnings = new List<string>();
            double elapsed = Elapsed;
            if (elapsed > Long)
            {
                IEnumerable<string> outcomes = Attempts
                    .Select(attempt => (string)((Dictionary<string, object>)attempt)["outcome"])
                    .GroupBy(outcome => outcome)
                    .Select(group => group.Key + " " + group.Count());
                string seconds = Text.Number(Math.Round(elapsed), 9);
                string seen = string.Join(", ", outcomes);
                warnings.Add("Asking IMDS took " + seconds + " s. Attempts by outcome: " + seen + ".");
            }
            return warnings;
        }

        private ImdsAnswer Versioned(ImdsPath path, Func<Response, object> read, string query)
        {
            string version = settings.ApiVersion ?? Versions.Ladder[0];
            while (true)
            {
                string lower;
                try
                {
                    Seen seen = Persist(path, version, read, query);
                    return new ImdsAnswer(seen.Content, version, seen.Response.LocalAddress);
                }
                catch (VersionException error)
                {
                    bool pinned = settings.ApiVersion != null;
                    lower = pinned ? null : Versions.StepDown(version, error.Offered, path.Since);
                    if (lower == null)
                    {
                        throw;
                    }
                }
                version = lower;
            }
        }

        // What is at a path in one version. read: makes it of a response that the policy takes for "ok". body: JSON to
        // POST, more than once if need be; null for a GET. query: what follows the API version, beginning with &.
        // headers: more than every request has. Throws ImdsException.
        public object Ask(
            ImdsPath path,
            string version,
            Func<Response, object> read,
            Policy policy,
            byte[] body = null,
            string query = "",
            Dictionary<string, string> headers = null)
        {
            return Persist(path, version, read, query, policy, body, headers).Content;
        }

        // Ask for one path in one version until there is an answer or a reason to stop.
        private Seen Persist(
            ImdsPath path,
            string version,
            Func<Response, object> read,
            string query,
            Policy policy = null,
            byte[] body = null,
            Dictionary<string, string> headers = null)
        {
            policy = policy ?? new Policy(path.Root);
            string target = "/metadata/" + path.Whole + (version == null ? "" : "?api-version=" + version + query);
            Dictionary<string, int> tries = new Dictionary<string, int>();
            while (true)
            {
                Seen seen = Attempt(target, read, policy, body, headers);
                int before;
                tries.TryGetValue(seen.Outcome, out before);
                int count = tries[seen.Outcome] = before + 1;
                Dictionary<string, object> log = new Dictionary<string, object>
                {
                    { "path", path.Whole },
                    { "api_version", version },
                    { "outcome", seen.Outcome },
                    { "status", seen.Response == null ? (object)null : (long)seen.Response.Status },
                    { "detail", seen.Detail },
                    { "wait", null },
                };
                Attempts.Add(log);
                if (seen.Outcome == "ok")
                {
                    return seen;
                }
                if (seen.Outcome == "bad_version")
                {
                    throw new VersionException(version, Retry.NewestVersions(seen.Response.Body));
                }
                if (seen.SilentOn != null && count == 2)
                {
                    TryOtherSources(target, seen.SilentOn);
                }
                double? wait = Wait(seen, count, policy);
                log["wait"] = wait;
                if (wait == null)
                {
                    throw new ImdsException(policy.Rules[seen.Outcome].Reason, seen.Detail);
                }
                world.Sleep(wait.Value);
            }
        }

        // Seconds until the next try; null if the policy allows none, or the deadline would have passed by then.
        private double? Wait(Seen seen, int tries, Policy policy)
        {
            // An update extends the deadline; any other reason to wait restores the usual one.
            if (seen.Outcome == "updating")
            {
                limit = Math.Max(settings.Timeout, settings.UpdatingTimeout);
            }
            else if (policy.Rules[seen.Outcome].Waits.Length > 0)
            {
                limit = settings.Timeout;
            }
            string retryAfter = seen.Response == null ? null : seen.Response.Header("retry-after");
            double? wait = policy.Wait(seen.Outcome, tries, retryAfter, world.Chance(), Elapsed);
            return wait != null && Math.Max(wait.Value, Pace) < Remaining ? wait : null;
        }

        private Seen Attempt(
            string target,
            Func<Response, object> read,
            Policy policy,
            byte[] body,
            Dictionary<string, string> headers)
        {
            Response response;
            try
            {
                response = Send(target, null, body, headers);
            }
            catch (TransportException error)
            {
                string silentOn = error.Silent ? error.LocalAddress : null;
                return new Seen { Outcome = error.Kind, Detail = error.Message, SilentOn = silentOn };
            }
            Seen seen = new Seen
            {
                Outcome = policy.Classify(response),
                Detail = policy.Describe(response),
                Response = response,
            };
            if (seen.Outcome == "ok")
            {
                try
                {
                    seen.Content = read(response);
                }
                catch (UnusableException error)
                {
                    seen.Outcome = error.Outcome;
                    seen.Detail = error.Message;
                }
            }
            return seen;
        }

        private Response Send(
            string target, string source, byte[] body = null, Dictionary<string, string> headers = null)
        {
            double pause = lastRequest == null ? 0 : Math.Max(lastRequest.Value + Pace - world.Clock(), 0);
            if (pause >= Remaining)
            {
                throw new TransportException(
                    "connect_timeout", "the limit of " + Text.Number(limit, 6) + " s leaves no time for a request");
            }
            if (pause > 0)
            {
                world.Sleep(pause);
            }
            lastRequest = world.Clock();
            Requests++;
            Request request = new Request
            {
                Host = settings.Host,
                Port = settings.Port,
                Target = target,
                ConnectTimeout = settings.ConnectTimeout,
                ReadTimeout = settings.ReadTimeout,
                Timeout = source == null ? Remaining : Math.Min(Remaining, ProbeTimeout),
                Source = source,
                Body = body,
            };
            request.Headers.Add(new KeyValuePair<string, string>("Metadata", "true"));
            request.Headers.Add(new KeyValuePair<string, string>("User-Agent", "imds.azure/" + Version));
            request.Headers.Add(new KeyValuePair<string, string>("x-ms-client-request-id", Guid.NewGuid().ToString()));
            request.Headers.Add(new KeyValuePair<string, string>("Accept", "*/*"));
            if (body != null)
            {
                request.Headers.Add(new KeyValuePair<string, string>("Content-Type", "application/json"));
            }
            request.Headers.AddRange(headers ?? new Dictionary<string, string>());
            return world.Exchange(request);
        }

        // IMDS answers only the primary address: if it answers another one of ours, the source is wrong.
        // Throws ImdsException: wrong_source_address.
        private void TryOtherSources(string target, string silentOn)
        {
            if (settings.Loopback)
            {
                return;
            }
            List<string> others = Guest.Addresses(world.Interfaces()).Where(address => address != silentOn).ToList();
            foreach (string address in others.Take(MostSources))
            {
                bool answered;
                try
                {
                    answered = Retry.Classify(Send(target, address), true) != "intercepted";
                }
                catch (TransportException)
                {
                    answered = false;
                }
                if (answered)
                {
                    throw new ImdsException(
                        "wrong_source_address", "no answer for " + silentOn + ", but one for " + address);
                }
            }
        }

        private object ReadInstance(Response response)
        {
            Dictionary<string, object> document = (Dictionary<string, object>)ReadObject(response);
            object compute, network, vmId = null;
            document.TryGetValue("compute", out compute);
            document.TryGetValue("network", out network);
            if (!(compute is Dictionary<string, object>) && !(network is Dictionary<string, object>))
            {
                throw new UnusableException("malformed", "the document has neither compute nor network");
            }
            if (compute is Dictionary<string, object>)
            {
                ((Dictionary<string, object>)compute).TryGetValue("vmId", out vmId);
            }
            // With detect=force the firmware is not Azure's and proves nothing.
            if (!settings.Forced && vmId is string && Platform.SameMachine((string)vmId, world.Firmware()) == false)
            {
                throw new UnusableException(
                    "intercepted", "vmId " + vmId + " is not the UUID of this machine's firmware");
            }
            return document;
        }

        // The JSON object of an answer. Throws UnusableException: it is something else.
        public static object ReadObject(Response response)
        {
            object content = ReadJson(response);
            if (!(content is Dictionary<string, object>))
            {
                throw new UnusableException("malformed", "the answer is not a JSON object");
            }
            return content;
        }

        private static object ReadJson(Response response)
        {
            try
            {
                return Json.Parse(ReadText(response), MaxValues);
            }
            catch (JsonException error)
            {
                throw new UnusableException("malformed", "the answer is not JSON: " + error.Message);
            }
            catch (DepthException)
            {
                throw new UnusableException(
                    "malformed", "the answer is nested deeper than " + Json.MaxDepth + " levels");
            }
            catch (CountException)
            {
                throw new UnusableException("too_large", "the answer holds more than " + MaxValues + " values");
            }
        }

        private static string ReadText(Response response)
        {
            string text = Json.Decode(response.Body);
            if (text == null)
            {
                throw new UnusableException("malformed", "the answer is not UTF-8");
            }
            return text;
        }
    }
}
