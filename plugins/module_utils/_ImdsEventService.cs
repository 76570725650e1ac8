// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Asks IMDS for scheduled events, and sends approvals. One request and its retries at a time; decides nothing. Twin of
// _events/service.py, and of Reading in options.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRetry;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsEventService
{
    using Map = Dictionary<string, object>;

    // How events are read. Settings: how IMDS is asked. FirstTimeout: seconds for the first answer.
    public sealed class Reading
    {
        public const double UsualFirstTimeout = 130;

        public Settings Settings;
        public string ApiVersion;
        public double FirstTimeout;

        // From a module's parameters. ownTimeout: the option timeout means another time. Throws OptionException.
        public static Reading Parse(IDictionary parameters, bool ownTimeout = false)
        {
            string version = (string)parameters["api_version"];
            version = string.IsNullOrEmpty(version) ? Terms.Default : version;
            if (version != Terms.Newest && !Options.IsVersion(version))
            {
                throw new OptionException(
                    "api_version",
                    Text.Quote(version) + " is neither " + Terms.Newest + " nor a date such as " + Terms.Default);
            }
            // It is not for IMDS' other endpoints, which have other versions.
            Hashtable others = new Hashtable(parameters);
            others["api_version"] = null;
            if (ownTimeout)
            {
                others["timeout"] = null;
            }
            return new Reading
            {
                Settings = Options.Parse(others),
                ApiVersion = version,
                FirstTimeout = Seconds(parameters, "first_timeout", UsualFirstTimeout, 0, 3600),
            };
        }

        // A time from least to most; least 0 stands for anything above it. Throws OptionException.
        public static double Seconds(IDictionary parameters, string name, double usual, double least, double most)
        {
            object value = parameters[name];
            double seconds;
            try
            {
                seconds = value == null ? usual : Text.ToDouble(value);
            }
            catch (SystemException)  // not of a number's form, type or size
            {
                seconds = -1;
            }
            if (!(seconds >= least && seconds <= most) || seconds == 0)
            {
                string span = least > 0 ? Text.Number(least, 6) + " to " : "more than 0 and at most ";
                throw new OptionException(
                    name,
                    Text.Quote(value) + " is not a usable time; give " + span + Text.Number(most, 6) + " seconds");
            }
            return seconds;
        }
    }

    // IMDS throttles this endpoint in words; which status goes with them is not recorded.
    internal class EventPolicy : Policy
    {
        private const string Throttled = "Throttle Result: Too Many Requests";

        public EventPolicy(bool root) : base(root)
        {
        }

        public override string Classify(Response response)
        {
            string beginning = Transport.Latin1.GetString(response.Body, 0, Math.Min(1024, response.Body.Length));
            return beginning.Contains(Throttled) ? "throttled" : base.Classify(response);
        }
    }

    // An approval is done with any success of IMDS itself; that the answer has a body is not promised.
    internal sealed class ApprovalPolicy : EventPolicy
    {
        // Not a root: 404 is about the events in the request.
        public ApprovalPolicy() : base(false)
        {
        }

        public override string Classify(Response response)
        {
            string outcome = base.Classify(response);
            bool done = response.Status >= 200 && response.Status < 300 && !Retry.IsForeign(response);
            return done && outcome != "throttled" ? "ok" : outcome;
        }
    }

    // The scheduled events of this VM. VmName: compute.name, once Identify was called; null where IMDS does not tell.
    // ApiVersion: the one that was used. ReadAt: ISO 8601, when the last document was sent, by the clock of IMDS, or of
    // the guest where the answer has no date: see Clock.
    public sealed class Service
    {
        private static readonly ImdsPath Name = new ImdsPath(
            "instance/compute/name", ImdsPath.Instance.Since, false, true);
        // How IMDS says that a host does not have a version yet.
        private static readonly string[] TooNew = { "bad_version", "rejected", "not_found" };

        private readonly Settings settings;
        private readonly double firstTimeout;
        private readonly World world;
        private List<string> versions;
        private bool answered;

        public readonly Client Client;
        public string VmName;
        public string ApiVersion;
        public string ReadAt;
        public string Clock;

        public Service(Reading reading, World world)
        {
            settings = reading.Settings;
            firstTimeout = reading.FirstTimeout;
            versions = Terms.Ladder(reading.ApiVersion).ToList();
            this.world = world;
            Client = new Client(settings, world);
        }

        // Ask for the VM's name, by which events name it. A classic VM has none.
        // limit: seconds that it may take at most, if that is less than the usual time. Throws ImdsException.
        public void Identify(double? limit = null)
        {
            Allow(settings.Timeout, settings.ReadTimeout, limit);
            try
            {
                object content = Client.Fetch(Name).Content;
                string name = Convert.ToString(content, CultureInfo.InvariantCulture).Trim();
                VmName = name.Length > 0 ? name : null;
            }
            catch (ImdsException error)
            {
                if (error.Reason.Code != "not_found" && error.Reason.Code != "rejected")
                {
                    throw;
                }
            }
        }

        // The events as they are now. The first answer may take as long as the first timeout. limit: as above.
        // Throws ImdsException: there is no document.
        public EventDocument Read(double? limit = null)
        {
            double timeout = answered ? settings.Timeout : Math.Max(settings.Timeout, firstTimeout);
            Allow(timeout, answered ? settings.ReadTimeout : firstTimeout, limit);
            while (true)
            {
                string version = versions[0];
                // Every host has the default, so there 404 means "not now".
                bool everywhere = Terms.IsEverywhere(version);
                ImdsPath path = new ImdsPath("scheduledevents", version, everywhere);
                try
                {
                    EventDocument document = (EventDocument)Client.Ask(
                        path, version, response => Parse(response, version), new EventPolicy(everywhere));
                    answered = true;
                    ApiVersion = version;
                    versions = new List<string> { version };
                    return document;
                }
                catch (ImdsException error)
                {
                    if (answered || everywhere || !TooNew.Contains(error.Reason.Code))
                    {
                        throw;
                    }
                    if (versions.Count == 1)
                    {
                        throw new ImdsException(
                            "bad_version",
                            "it refuses api-version " + version + " of scheduled events: " + error.Detail);
                    }
                }
                versions.RemoveAt(0);
            }
        }

        // Let these events start now, with all the VMs that they name. ids: exactly as they were received. limit: as
        // above. Throws ImdsException: IMDS did not confirm it; it may have started them all the same.
        public void Approve(IEnumerable<string> ids, double? limit = null)
        {
            Allow(settings.Timeout, settings.ReadTimeout, limit);
            ImdsPath path = new ImdsPath("scheduledevents", versions[0], false);
            IEnumerable<string> entries = ids.Select(id => "{\"EventId\":" + Quoted(id) + "}");
            string body = "{\"StartRequests\":[" + string.Join(",", entries) + "]}";
            Client.Ask(path, versions[0], response => null, new ApprovalPolicy(), Encoding.ASCII.GetBytes(body));
        }

        // The document that approves these events, for a result.
        public static Map StartRequests(IEnumerable<string> ids)
        {
            List<object> entries = ids.Select(id => (object)new Map { { "EventId", id } }).ToList();
            return new Map { { "StartRequests", entries } };
        }

        // A warning where there are events, and nobody can tell whose they are.
        public IEnumerable<string> Nameless(bool events)
        {
            if (events && VmName == null)
            {
                yield return "IMDS does not tell the name of this VM, so whether an event names it is unknown: "
                    + "mine is null.";
            }
        }

        private void Allow(double timeout, double readTimeout, double? limit)
        {
            double most = limit ?? double.PositiveInfinity;
            double updating = Math.Min(settings.UpdatingTimeout, most);
            Client.Restart(settings.Within(Math.Min(timeout, most), readTimeout, updating));
        }

        private object Parse(Response response, string version)
        {
            long? sent = Dates.Parse(response.Header("date"));
            Clock = sent == null ? "guest" : "imds";
            long now = sent ?? (long)world.Now();
            ReadAt = Dates.Iso(now);
            try
            {
                return new EventDocument(Client.ReadObject(response), now, VmName, version);
            }
            catch (DocumentException error)
            {
                throw new UnusableException("malformed", error.Message);
            }
        }

        // A JSON string, in ASCII.
        private static string Quoted(string text)
        {
            IEnumerable<string> characters = text.Select(
                character => character == '"' || character == '\\' ? "\\" + character
                    : character >= ' ' && character <= '~' ? character.ToString()
                    : "\\u" + ((int)character).ToString("x4"));
            return "\"" + string.Concat(characters) + "\"";
        }
    }
}
