// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_info_windows between its parameters and its result. Twin of azure_imds_info.py.

using System.Collections;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPaths;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsInfoModule
{
    public static class InfoModule
    {
        public static Outcome Run(IDictionary parameters)
        {
            return Run(parameters, new World());
        }

        public static Outcome Run(IDictionary parameters, World world)
        {
            Outcome outcome = new Outcome();
            ImdsPath path;
            Settings settings;
            try
            {
                path = Paths.Parse((string)parameters["path"]);
                settings = Options.Parse(parameters);
            }
            catch (OptionException error)
            {
                outcome.Failure = error.Message;
                return outcome;
            }
            outcome.Warnings.AddRange(Versions.Doubts(settings.ApiVersion));
            Client client = new Client(settings, world);
            ImdsAnswer answer = new ImdsAnswer(null, null, null);
            ImdsReason reason = Reasons.ByCode["ok"];
            try
            {
                Platform.RequireAzure(settings, world.Firmware);
                answer = client.Fetch(path);
            }
            catch (ImdsException error)
            {
                reason = error.Reason;
                if (true.Equals(parameters["required"]))
                {
                    string what = error.Explanation + " " + reason.Remedy;
                    outcome.Failure = "Nothing from IMDS for " + path.Whole + ": " + what;
                }
            }
            outcome.Warnings.AddRange(client.LongWaits());
            bool available = reason.Code == "ok";
            outcome.Result["available"] = available;
            outcome.Result["reason"] = reason.Code;
            outcome.Result["remedy"] = available ? null : reason.Remedy;
            outcome.Result["content"] = answer.Content;
            outcome.Result["path"] = path.Whole;
            outcome.Result["api_version"] = answer.ApiVersion;
            outcome.Result["attempts"] = client.Attempts;
            outcome.Result["meta"] = Outcome.Meta();
            return outcome;
        }
    }
}
