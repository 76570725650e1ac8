// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What may be asked for: the documented paths of IMDS. Pure. Twin of _imds/paths.py.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsPaths
{
    // A documented path of IMDS. Since: first API version that has it, empty where the path has no versions. Root:
    // every VM has it.
    public sealed class ImdsPath
    {
        public readonly string Whole;
        public readonly string Since;
        public readonly bool Root;

        public ImdsPath(string whole, string since, bool root)
        {
            Whole = whole;
            Since = since;
            Root = root;
        }
    }

    public static class Paths
    {
        public static readonly ImdsPath Instance = new ImdsPath("instance", "2017-04-02", true);
        public static readonly ImdsPath Attested = new ImdsPath("attested/document", Versions.AttestedSince, true);
        public static readonly ImdsPath LoadBalancer = new ImdsPath("loadbalancer", Versions.LoadBalancerSince, false);

        public static readonly ImdsPath[] Roots =
        {
            Instance,
            Attested,
            LoadBalancer,
            new ImdsPath("versions", "", true),
        };

        private static readonly Regex Key = new Regex(@"\A[A-Za-z0-9_-]+\z");

        // Check a path below /metadata, such as instance/compute/tagsList/0: a documented root, or keys and indexes
        // below instance.
        public static ImdsPath Parse(string text)
        {
            string[] parts = text.Trim('/').Split('/');
            if (!parts.All(part => Key.IsMatch(part)))
            {
                throw new OptionException(
                    "path",
                    Text.Quote(text)
                    + " may only hold keys and indexes between slashes, such as instance/network/interface/0");
            }
            if (parts[0].ToLowerInvariant() == "identity")
            {
                throw new OptionException(
                    "path", "the identity endpoints hand out secrets, which this module never reads");
            }
            string whole = string.Join("/", parts);
            ImdsPath root = Roots.FirstOrDefault(known => known.Whole == whole);
            if (root == null && parts[0] != Instance.Whole)
            {
                string names = string.Join(", ", Roots.Select(known => known.Whole));
                throw new OptionException(
                    "path", Text.Quote(text) + " is not one of " + names + ", nor a path below instance");
            }
            return root ?? new ImdsPath(whole, Instance.Since, false);
        }
    }
}
