// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Values that are taken out of everything that a module says, whether or not the task sets no_log.

using System;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsHidden
{
    using Map = Dictionary<string, object>;

    public sealed class Hidden
    {
        // What Ansible shows in their place, in a text and alone.
        private const string Shown = "********";
        private const string ShownAlone = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
        // A shorter value may be part of ordinary words, which hiding it would garble. No result quotes a secret
        // anyway.
        private const int Shortest = 8;

        private readonly HashSet<string> values = new HashSet<string>();

        public void Add(string value)
        {
            if (value.Length >= Shortest)
            {
                values.Add(value);
            }
        }

        // For a result that returns the value on request.
        public void Reveal(string value)
        {
            values.Remove(value);
        }

        public string In(string text)
        {
            if (text == null || values.Contains(text))
            {
                return text == null ? null : ShownAlone;
            }
            return values.OrderByDescending(value => value.Length)
                .Aggregate(text, (shown, value) => shown.Replace(value, Shown));
        }

        public void In(Outcome outcome)
        {
            outcome.Result = (Map)InValue(outcome.Result);
            outcome.Warnings = outcome.Warnings.Select(In).ToList();
            outcome.Failure = In(outcome.Failure);
        }

        // What could not be foreseen, without the values.
        public Exception In(Exception error)
        {
            return new InvalidOperationException(In(error.ToString()));
        }

        private object InValue(object value)
        {
            Map map = value as Map;
            if (map != null)
            {
                return map.ToDictionary(entry => In(entry.Key), entry => InValue(entry.Value));
            }
            List<object> list = value as List<object>;
            if (list != null)
            {
                return list.Select(InValue).ToList();
            }
            return value is string ? In((string)value) : value;
        }
    }
}
