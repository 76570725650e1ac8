// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// azure_imds_facts_windows between its parameters and its result. Twin of azure_imds_facts.py.

using System;
using System.Collections;
using System.Collections.Generic;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGather;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOutcome;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsFactsModule
{
    using Map = Dictionary<string, object>;

    public static class FactsModule
    {
        // devices: Get-ImdsDeviceRow of _ImdsDevices.psm1, which is called only where IMDS has answered.
        public static Outcome Run(IDictionary parameters, Func<string> devices)
        {
            return Run(parameters, new World { Devices = devices });
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
                outcome.Result["meta"] = Outcome.Meta();
                return outcome;
            }
            outcome.Result["ansible_facts"] = new Map { { "azure_imds", fact } };
            return outcome;
        }
    }
}
