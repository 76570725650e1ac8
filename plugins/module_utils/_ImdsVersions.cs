// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The paths of IMDS, the API versions that have them, and the ladder to step down where IMDS does not know the newest.
// Twin of _imds/versions.py; what else _imds/paths.py has, is in _ImdsPaths.cs.

using System;
using System.Collections.Generic;
using System.Linq;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsVersions
{
    public static class Versions
    {
        // <generated versions: make generate>
        // All 35 that IMDS documents, oldest first.
        public static readonly string[] Instance =
        {
            "2017-03-01",
            "2017-04-02",
            "2017-08-01",
            "2017-10-01",
            "2017-12-01",
            "2018-02-01",
            "2018-04-02",
            "2018-10-01",
            "2019-02-01",
            "2019-03-11",
            "2019-04-30",
            "2019-06-01",
            "2019-06-04",
            "2019-08-01",
            "2019-08-15",
            "2019-11-01",
            "2020-06-01",
            "2020-07-15",
            "2020-09-01",
            "2020-10-01",
            "2020-12-01",
            "2021-01-01",
            "2021-02-01",
            "2021-03-01",
            "2021-05-01",
            "2021-08-01",
            "2021-10-01",
            "2021-11-01",
            "2021-11-15",
            "2021-12-13",
            "2023-07-01",
            "2023-11-15",
            "2024-03-15",
            "2024-07-17",
            "2025-04-07",
        };

        // Versions that IMDS knows without documenting them.
        public static readonly string[] Undocumented =
        {
            "2025-07-24",
        };

        // The newest version that this release was tested with, then the ones that each brought much.
        public static readonly string[] Ladder =
        {
            "2025-04-07",
            "2023-11-15",
            "2023-07-01",
            "2021-12-13",
            "2021-02-01",
            "2019-11-01",
            "2019-06-04",
            "2017-04-02",
        };

        public const string LoadBalancerSince = "2020-10-01";
        public const string AttestedSince = "2018-10-01";
        public const string TagsListSince = "2019-06-04";
        // </generated>

        // What to warn of where a version is pinned: nothing, or that this release does not know it.
        public static IEnumerable<string> Doubts(string pinned)
        {
            bool known = pinned == null || Instance.Contains(pinned) || Undocumented.Contains(pinned);
            string text = "api_version: this release does not know " + pinned + "; IMDS was asked for it all the same.";
            return known ? new string[0] : new[] { text };
        }

        // The version to try after one was refused, or null where none is left. Of the versions that the error offers
        // only known, older ones are taken: never above what was tested.
        // since: the first version that has what is asked for.
        public static string StepDown(string refused, IEnumerable<string> offered, string since)
        {
            return offered.Where(version => Instance.Contains(version)).Concat(Ladder).FirstOrDefault(
                version => string.CompareOrdinal(since, version) <= 0 && string.CompareOrdinal(version, refused) < 0);
        }
    }

    // A documented path of IMDS. Since: first API version that has it, empty where the path has no versions. Root:
    // every VM has it. Leaf: it is known to be a single value.
    public sealed class ImdsPath
    {
        public static readonly ImdsPath Instance = new ImdsPath("instance", "2017-04-02", true);
        public static readonly ImdsPath Attested = new ImdsPath("attested/document", Versions.AttestedSince, true);
        public static readonly ImdsPath LoadBalancer = new ImdsPath("loadbalancer", Versions.LoadBalancerSince, false);

        public readonly string Whole;
        public readonly string Since;
        public readonly bool Root;
        public readonly bool Leaf;

        public ImdsPath(string whole, string since, bool root, bool leaf = false)
        {
            Leaf = leaf;
            Whole = whole;
            Since = since;
            Root = root;
        }
    }
}
