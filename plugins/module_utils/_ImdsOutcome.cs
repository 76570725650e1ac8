// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a module ends with; _ImdsOutcome.psm1 hands it over to Ansible.

using System.Collections.Generic;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsOutcome
{
    using Map = Dictionary<string, object>;

    // Result: the keys to return. Failure: the message to fail with, or null.
    public sealed class Outcome
    {
        public Map Result = new Map();
        public List<string> Warnings = new List<string>();
        public string Failure;

        // How the program that asked came to the host. What the controller sends otherwise is not C#.
        public const string Delivery = "module";

        public static Map Meta()
        {
            return new Map { { "delivery", Delivery } };
        }
    }
}
