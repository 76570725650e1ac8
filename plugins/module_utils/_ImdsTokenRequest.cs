// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a user asks for: which token of which identity. Checked in one place. Pure. Twin of _identity/options.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsResources;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTokenRequest
{
    // Kind: client_id, object_id or msi_res_id. Value: as given.
    public sealed class Selector
    {
        public readonly string Kind;
        public readonly string Value;

        public Selector(string kind, string value)
        {
            Kind = kind;
            Value = value;
        }
    }

    // Resource: a URI, the ID of an application, or a name of Resources.Names. Selector: the identity; null for the one
    // that serves by default. BypassCache: have IMDS get a fresh token. IdentityWait: seconds to wait for an identity
    // that IMDS does not know yet. Arc: auto, never or always, whether to ask the agent of an Azure Arc machine.
    public sealed class TokenRequest
    {
        // Identities are in IMDS since this version, and every client asks for it.
        public const string ApiVersion = "2018-02-01";
        // Seconds; long enough to outlast an update of IMDS, which takes up to 70.
        public const double Timeout = 90;
        // What names one of several identities, and what a token calls it.
        public static readonly string[] Selectors = { "client_id", "object_id", "msi_res_id" };

        private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        public string Resource;
        public Selector Selector;
        public bool BypassCache;
        public double IdentityWait;
        public string Arc = "auto";

        // The request from a module's parameters. Throws OptionException: options can't be used, or not together.
        public static TokenRequest Parse(IDictionary parameters, string resource)
        {
            return new TokenRequest
            {
                Resource = Resources.Parse(resource),
                Selector = ReadSelector(parameters),
                BypassCache = true.Equals(parameters["bypass_cache"]),
                IdentityWait = ReadIdentityWait(parameters),
                Arc = (string)parameters["arc"] ?? "auto",
            };
        }

        // How to ask. One deadline, for an update of IMDS too. Throws OptionException: an endpoint, a time or an API
        // version can't be used.
        public static Settings ReadSettings(IDictionary parameters)
        {
            Hashtable given = new Hashtable(parameters);
            given["timeout"] = given["timeout"] ?? Timeout;
            given["updating_timeout"] = null;
            Settings settings = Options.Parse(given);
            if (string.CompareOrdinal(settings.ApiVersion ?? ApiVersion, ApiVersion) < 0)
            {
                throw new OptionException(
                    "api_version",
                    settings.ApiVersion + " has no identities; the first that has is " + ApiVersion);
            }
            settings.UpdatingTimeout = settings.Timeout;
            return settings;
        }

        // What follows the API version.
        public static string Query(string resource, Selector selector, bool bypassCache)
        {
            string text = "&resource=" + Quoted(resource);
            if (selector != null)
            {
                text += "&" + selector.Kind + "=" + Quoted(selector.Value);
            }
            return text + (bypassCache ? "&bypass_cache=true" : "");
        }

        // Percent-encoded, as the value of a query parameter.
        public static string Quoted(string text)
        {
            IEnumerable<string> quoted = Encoding.UTF8.GetBytes(text).Select(
                each => Unreserved.IndexOf((char)each) >= 0 ? ((char)each).ToString() : "%" + each.ToString("X2"));
            return string.Concat(quoted);
        }

        private static Selector ReadSelector(IDictionary parameters)
        {
            List<Selector> given = Selectors.Where(kind => parameters[kind] != null)
                .Select(kind => new Selector(kind, (string)parameters[kind])).ToList();
            if (given.Count > 1)
            {
                string names = string.Join(" and ", given.Select(each => each.Kind));
                throw new OptionException(
                    given[1].Kind, names + " are given, but only one can name the identity; leave out the others");
            }
            if (given.Count == 0)
            {
                return null;
            }
            Selector selector = given[0];
            bool resourceId = selector.Kind == "msi_res_id";
            bool usable = resourceId ? IsResourceId(selector.Value) : Resources.IsGuid(selector.Value);
            if (!usable)
            {
                string form = resourceId
                    ? "a resource ID such as /subscriptions/\u2026/providers/Microsoft.ManagedIdentity"
                      + "/userAssignedIdentities/NAME"
                    : "a GUID such as 11111111-2222-3333-4444-555555555555";
                throw new OptionException(
                    selector.Kind,
                    Text.Quote(selector.Value) + " is not " + form + "; omit the option to use the default identity");
            }
            return selector;
        }

        private static bool IsResourceId(string text)
        {
            return text.StartsWith("/subscriptions/", StringComparison.OrdinalIgnoreCase)
                && text.All(character => character >= ' ' && character <= '~');
        }

        private static double ReadIdentityWait(IDictionary parameters)
        {
            double wait = Text.ToDouble(parameters["identity_wait"] ?? 0.0);
            double limit = Text.ToDouble(parameters["timeout"] ?? Timeout);
            if (!(wait >= 0 && wait < limit))
            {
                throw new OptionException(
                    "identity_wait",
                    Text.Number(wait, 6) + " is not from 0 to less than timeout, which is " + Text.Number(limit, 6)
                    + " seconds; raise timeout");
            }
            return wait;
        }
    }
}
