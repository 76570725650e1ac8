// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a token is for: the names of well-known resources, and their App ID URIs in each cloud. Pure. Twin of
// _identity/resources.py.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsResources
{
    public static class Resources
    {
        // <generated resources: make generate>
        // The clouds as azEnvironment in the instance document calls them.
        public static readonly string[] Clouds =
        {
            "AzurePublicCloud",
            "AzureUSGovernmentCloud",
            "AzureChinaCloud",
            "AzureGermanCloud",
        };

        // Name -> the URI in each of Clouds; empty where the service is not there or its URI is not known.
        public static readonly Dictionary<string, string[]> Names = new Dictionary<string, string[]>
        {
            {
                "arm",
                new[]
                {
                    "https://management.azure.com/",
                    "https://management.usgovcloudapi.net/",
                    "https://management.chinacloudapi.cn/",
                    "https://management.microsoftazure.de/",
                }
            },
            {
                "vault",
                new[]
                {
                    "https://vault.azure.net",
                    "https://vault.usgovcloudapi.net",
                    "https://vault.azure.cn",
                    "https://vault.microsoftazure.de",
                }
            },
            {
                "storage",
                new[]
                {
                    "https://storage.azure.com/",
                    "https://storage.azure.com/",
                    "https://storage.azure.com/",
                    "https://storage.azure.com/",
                }
            },
            {
                "graph",
                new[]
                {
                    "https://graph.microsoft.com/",
                    "https://graph.microsoft.us/",
                    "https://microsoftgraph.chinacloudapi.cn/",
                    "https://graph.microsoft.de/",
                }
            },
            {
                "sql",
                new[]
                {
                    "https://database.windows.net/",
                    "https://database.usgovcloudapi.net/",
                    "https://database.chinacloudapi.cn/",
                    "https://database.cloudapi.de/",
                }
            },
            {
                "ossrdbms",
                new[]
                {
                    "https://ossrdbms-aad.database.windows.net",
                    "https://ossrdbms-aad.database.usgovcloudapi.net",
                    "https://ossrdbms-aad.database.chinacloudapi.cn",
                    "https://ossrdbms-aad.database.cloudapi.de",
                }
            },
            {
                "managed_hsm",
                new[]
                {
                    "https://managedhsm.azure.net",
                    "https://managedhsm.usgovcloudapi.net",
                    "https://managedhsm.azure.cn",
                    "",
                }
            },
            {
                "batch",
                new[]
                {
                    "https://batch.core.windows.net/",
                    "https://batch.core.usgovcloudapi.net/",
                    "https://batch.chinacloudapi.cn/",
                    "https://batch.cloudapi.de/",
                }
            },
            {
                "log_analytics",
                new[]
                {
                    "https://api.loganalytics.io",
                    "https://api.loganalytics.us",
                    "https://api.loganalytics.azure.cn",
                    "",
                }
            },
            {
                "synapse",
                new[]
                {
                    "https://dev.azuresynapse.net",
                    "https://dev.azuresynapse.usgovcloudapi.net",
                    "https://dev.azuresynapse.azure.cn",
                    "",
                }
            },
            {
                "servicebus",
                new[]
                {
                    "https://servicebus.azure.net",
                    "",
                    "",
                    "",
                }
            },
            {
                "eventhubs",
                new[]
                {
                    "https://eventhubs.azure.net",
                    "",
                    "",
                    "",
                }
            },
        };
        // </generated>

        private const string Scope = "/.default";

        private static readonly Regex AnyUri = new Regex(@"\A[A-Za-z][A-Za-z0-9+.-]*:[!-~]+\z");
        private static readonly Regex WebUri = new Regex(
            @"\Ahttps?://[^/?#]+(?:[/?#].*)?\z", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        private static readonly Regex Guid = new Regex(@"\A[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z");

        public static bool IsGuid(string text)
        {
            return Guid.IsMatch(text);
        }

        // A name of Names, or what IMDS is asked for: a URI, or the ID of an application, which Entra ID accepts as
        // well. A scope is reduced to its resource: /.default at its end is an idea of clients. Throws OptionException.
        public static string Parse(string text)
        {
            string name = text.ToLowerInvariant();
            if (Names.ContainsKey(name))
            {
                return name;
            }
            bool scope = text.EndsWith(Scope, StringComparison.Ordinal);
            string whole = scope ? text.Substring(0, text.Length - Scope.Length) : text;
            bool web = whole.StartsWith("http", StringComparison.OrdinalIgnoreCase);
            if (IsGuid(whole) || (AnyUri.IsMatch(whole) && (!web || WebUri.IsMatch(whole))))
            {
                return whole;
            }
            string names = string.Join(", ", Names.Keys.OrderBy(key => key, StringComparer.Ordinal));
            throw new OptionException(
                "resource",
                Text.Quote(text) + " is not a URI such as https://vault.azure.net, nor the ID of an application, nor "
                + "one of the names " + names);
        }

        // The App ID URI of a named resource in a cloud, azEnvironment of the instance document. Throws
        // OptionException: the cloud, or the service in it, is not known.
        public static string Uri(string name, string cloud)
        {
            int place = Array.IndexOf(Clouds, cloud);
            string uri = place < 0 ? "" : Names[name][place];
            if (uri.Length == 0)
            {
                throw new OptionException(
                    "resource",
                    "the URI of " + Text.Quote(name) + " in the cloud " + Text.Quote(cloud)
                    + " is not known; give the URI instead");
            }
            return uri;
        }
    }
}
