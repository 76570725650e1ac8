// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_attest_windows between its parameters and its result: it fetches the attested document, and the action
// plugin verifies it on the controller. Twin of azure_imds_attest.py.

using System.Collections;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsAttestModule
{
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
            outcome.Warnings.AddRange(Versions.Doubts(settings.ApiVersion));
            Client client = new Client(settings, world);
            outcome.Result["verified"] = false;
            outcome.Result["attempts"] = client.Attempts;
            outcome.Result["meta"] = Outcome.Meta();
            try
            {
                Platform.RequireAzure(settings, world.Firmware);
                ImdsAnswer answer = client.Attested(nonce);
                outcome.Result["evidence"] = answer.Content;
                outcome.Result["api_version"] = answer.ApiVersion;
            }
            catch (ImdsException error)
            {
                outcome.Failure = "No attested document: " + error.Explanation + " " + error.Reason.Remedy;
                outcome.Result["reason"] = error.Reason.Code;
                outcome.Result["remedy"] = error.Reason.Remedy;
            }
            outcome.Warnings.AddRange(client.LongWaits());
            return outcome;
        }
    }
}
