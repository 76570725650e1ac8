// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the modules do between their parameters and their result; the .ps1 files only hand it over to Ansible. Twin of
// the main() of azure_imds_facts.py, azure_imds_info.py and azure_imds_attest.py.

using System.Collections;
using System.Collections.Generic;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGather;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPaths;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsWorld;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsModules
{
    using Map = Dictionary<string, object>;

    // Result: the keys to return. Failure: the message to fail with, or null.
    public sealed class Outcome
    {
        public Map Result = new Map();
        public List<string> Warnings = new List<string>();
        public string Failure;
    }

    public static class FactsModule
    {
        public static Outcome Run(IDictionary parameters)
        {
            return Run(parameters, new World());
        }

        public static Outcome Run(IDictionary parameters, World world)
        {
            Outcome outcome = new Outcome();
            Map fact;
            try
            {
                fact = Gathering.Gather(Options.Parse(parameters), world, outcome.Warnings);
            }
            catch (OptionException error)
            {
                outcome.Failure = error.Message;
                return outcome;
            }
            if (true.Equals(parameters["required"]) && false.Equals(fact["available"]))
            {
                Map meta = (Map)fact["meta"];
                outcome.Failure = "No facts from IMDS: " + meta["message"] + " " + fact["remedy"];
                outcome.Result["reason"] = fact["reason"];
                outcome.Result["remedy"] = fact["remedy"];
                outcome.Result["attempts"] = meta["attempts"];
                return outcome;
            }
            outcome.Result["ansible_facts"] = new Map { { "azure_imds", fact } };
            return outcome;
        }
    }

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
            Client client = new Client(settings, world);
            Answer answer = new Answer(null, null, null);
            Reason reason = Reasons.ByCode["ok"];
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
            bool available = reason.Code == "ok";
            outcome.Result["available"] = available;
            outcome.Result["reason"] = reason.Code;
            outcome.Result["remedy"] = available ? null : reason.Remedy;
            outcome.Result["content"] = answer.Content;
            outcome.Result["path"] = path.Whole;
            outcome.Result["api_version"] = answer.ApiVersion;
            outcome.Result["attempts"] = client.Attempts;
            return outcome;
        }
    }
    // Fetches and hands back; the action plugin verifies on the controller.
    public static class AttestModule
    {
        public static Outcome Run(IDictionary parameters)
        {
            return Run(parameters, new World());
        }

        public static Outcome Run(IDictionary parameters, World world)
        {
            Outcome outcome = new Outcome();
            if (parameters["nonce"] == null || parameters["document"] != null)
            {
                outcome.Failure =
                    "Attestation is verified on the controller, by the action plugin of this module, which was left "
                    + "out. Call imds.azure.azure_imds_attest in a task of its own, not as a facts module.";
                return outcome;
            }
            string nonce;
            Settings settings;
            try
            {
                nonce = Options.Nonce((string)parameters["nonce"]);
                settings = Options.Parse(parameters);
            }
            catch (OptionException error)
            {
                outcome.Failure = error.Message;
                return outcome;
            }
            Client client = new Client(settings, world);
            outcome.Result["verified"] = false;
            outcome.Result["attempts"] = client.Attempts;
            try
            {
                Platform.RequireAzure(settings, world.Firmware);
                Answer answer = client.Attested(nonce);
                outcome.Result["evidence"] = answer.Content;
                outcome.Result["api_version"] = answer.ApiVersion;
            }
            catch (ImdsException error)
            {
                outcome.Failure = "No attested document: " + error.Explanation + " " + error.Reason.Remedy;
                outcome.Result["reason"] = error.Reason.Code;
                outcome.Result["remedy"] = error.Reason.Remedy;
            }
            return outcome;
        }
    }
}
