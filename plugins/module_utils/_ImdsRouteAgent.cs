// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the guest proxy agent (Metadata Security Protocol) says about itself, in its status file. Twin of
// _routes/host/guest_agent.py.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteAgent
{
    using Map = Dictionary<string, object>;

    public static class GuestAgent
    {
        private const int Most = 5;
        private const int LongestProcess = 200;

        // On the drive that Windows is installed on.
        public static string StatusPath()
        {
            string system = Environment.GetFolderPath(Environment.SpecialFolder.System);
            string drive = system.Length > 0 ? Path.GetPathRoot(system) : "/";
            return Path.Combine(drive, "WindowsAzure", "ProxyAgent", "Logs", "status.json");
        }

        // state, rule_id and refused, as _routes/common_report.py has them; null where there is no readable status.
        public static Map Status(string text)
        {
            try
            {
                Map status = (Map)((Map)Json.Parse(text ?? ""))["proxyAgentStatus"];
                Map states = (Map)((Map)status["keyLatchStatus"])["states"];
                object summary;
                status.TryGetValue("failedAuthenticateSummary", out summary);
                List<object> refused = summary as List<object> ?? new List<object>();
                return new Map
                {
                    { "state", Value(states, "secureChannelState") },
                    { "rule_id", Value(states, "imdsRuleId") },
                    {
                        "refused", refused.Skip(Math.Max(refused.Count - Most, 0))
                            .Select(one => (object)Describe((Map)one)).ToList()
                    },
                };
            }
            catch (JsonException)
            {
            }
            catch (DepthException)
            {
            }
            catch (SystemException)  // a part is missing, or of another type
            {
            }
            return null;
        }

        private static string Describe(Map one)
        {
            string process = Value(one, "processFullPath");
            process = process.Length > 0 ? process : Value(one, "processCmdLine");
            process = process.Length > 0 ? process : "unknown process";
            string user = Value(one, "userName");
            return (user.Length > 0 ? user : "unknown user") + ", "
                + process.Substring(0, Math.Min(process.Length, LongestProcess)) + ": " + Value(one, "responseStatus")
                + " (" + Value(one, "count") + " times)";
        }

        private static string Value(Map map, string name)
        {
            object value;
            return map.TryGetValue(name, out value) ? Convert.ToString(value) : "";
        }
    }
}
