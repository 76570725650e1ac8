// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The two requests to a Windows host: collect, and apply. Twin of _routes/host/target.py, which documents requests and
// answers.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteApply;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteJournal;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteProbe;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteReport;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTarget
{
    using Map = Dictionary<string, object>;

    // One run of the module as a dialogue: while Next() is true, answer Call. Then it is an outcome like that of
    // _ImdsReasons.cs, with a Result or a Failure.
    public sealed class RouteTask : IDisposable
    {
        public readonly List<string> Warnings = new List<string>();
        public Map Result = new Map();
        public string Failure;
        public Call Call;

        private readonly IEnumerator<Call> calls;

        private RouteTask(IDictionary parameters, bool checkMode, World world, Journal journal)
        {
            calls = Run(parameters, checkMode, world, journal).GetEnumerator();
        }

        public static RouteTask Start(IDictionary parameters, bool checkMode)
        {
            World world = new World();
            return Start(parameters, checkMode, world, new Journal(Journal.DefaultDirectory(), world.Sleep));
        }

        public static RouteTask Start(IDictionary parameters, bool checkMode, World world, Journal journal)
        {
            return new RouteTask(parameters, checkMode, world, journal);
        }

        public bool Next()
        {
            try
            {
                bool more = calls.MoveNext();
                Call = more ? calls.Current : null;
                return more;
            }
            catch (HostException error)
            {
                Failure = error.Message;
            }
            catch (OptionException error)
            {
                Failure = error.Message;
            }
            Result = new Map();
            return false;
        }

        public void Dispose()
        {
            calls.Dispose();
        }

        private IEnumerable<Call> Run(IDictionary parameters, bool checkMode, World world, Journal journal)
        {
            IDictionary request = Given.Part(parameters, "request");
            string mode = Given.Text(request, "mode");
            if (mode != "collect" && mode != "apply")
            {
                throw new HostException(
                    "What is to be done is decided on the controller, by the action plugin of this module, which was "
                    + "left out. Call imds.azure.azure_imds_route_fix in a task of its own.");
            }
            if (mode == "apply" && checkMode)
            {
                throw new HostException("Nothing is changed in check mode.");
            }
            RouteTarget target = new RouteTarget(parameters, world, journal, Warnings);
            foreach (Call call in mode == "collect" ? target.Collect(request, Result) : target.Apply(request, Result))
            {
                yield return call;
            }
        }
    }

    internal sealed class RouteTarget
    {
        private readonly Journal journal;
        private readonly Probe probe;
        private readonly Reporter reporter;
        private readonly List<string> warnings;

        // Throws OptionException.
        public RouteTarget(IDictionary parameters, World world, Journal journal, List<string> warnings)
        {
            this.warnings = warnings;
            Hashtable options = new Hashtable(parameters);
            options["timeout"] = Given.Value(parameters, "verify_timeout");
            Settings settings = Options.Parse(options);
            this.journal = journal;
            probe = new Probe(settings, world);
            reporter = new Reporter(
                probe,
                world,
                Platform.Detect(settings.ChassisAssetTag, world.Firmware),
                settings.Forced || Given.Flag(parameters, "force"),
                parameters);
        }

        public IEnumerable<Call> Collect(IDictionary request, Map result)
        {
            bool recover = Given.Flag(request, "recover");
            bool unfinished = IsUnfinished(recover);
            bool recovered = unfinished && recover;
            if (recovered)
            {
                using (journal.Alone())
                {
                    Entry entry = journal.Unfinished();
                    Applying recovery = new Applying(new List<Step>(), journal);
                    // Another run may have been faster.
                    foreach (Call call in entry == null ? new Call[0] : recovery.Recover(entry))
                    {
                        yield return call;
                    }
                    warnings.AddRange(recovery.Warnings);
                    if (recovery.UndoErrors.Count > 0)
                    {
                        throw new HostException(
                            "An earlier run was killed, and what it began can't be rolled back: "
                            + string.Join("; ", recovery.UndoErrors) + ". What is left to do is listed in "
                            + journal.FilePath + "; to discard it, look at the routes and delete that file.");
                    }
                }
            }
            // What a run has begun that is still alive is not left behind.
            Map report = new Map { { "unfinished", unfinished && !recovered && !journal.IsInUse() } };
            bool ask = Given.Value(request, "ask") == null || Given.Flag(request, "ask");
            foreach (Call call in reporter.Report(report, ask))
            {
                yield return call;
            }
            result["report"] = report;
            result["recovered"] = recovered;
        }

        // A journal that can't be understood is set aside, because it would block every run.
        private bool IsUnfinished(bool recover)
        {
            try
            {
                return journal.Unfinished() != null;
            }
            catch (HostException error)
            {
                warnings.Add(error.Message);
            }
            if (recover)
            {
                using (journal.Alone())
                {
                    warnings.Add("It was moved to " + journal.SetAside() + ".");
                }
            }
            return false;
        }

        public IEnumerable<Call> Apply(IDictionary request, Map result)
        {
            List<Step> steps = Given.Parts(request, "steps").Select(Step.From).ToList();
            IDictionary expect = Given.Part(request, "expect");
            string address = Given.Text(expect, "address");
            string mac = Given.Text(expect, "mac");
            long retries = Given.Whole(request, "retries");
            Func<Map> prove = () => probe.Prove(address, mac, retries);
            using (steps.Count > 0 ? journal.Alone() : null)
            {
                if (journal.Unfinished() != null)
                {
                    throw new HostException(
                        "An earlier run was killed just now, see " + journal.FilePath + ". Run again.");
                }
                Applying done = new Applying(steps, journal, (string)Given.Value(request, "digest"));
                bool verify = Given.Flag(request, "verify");
                Map report = new Map();
                IEnumerable<Call> calls = done.Run(verify ? prove : null, Given.Flag(request, "rollback"));
                foreach (Call call in calls.Concat(reporter.Report(report, false)))
                {
                    yield return call;
                }
                warnings.AddRange(done.Warnings);
                report["unfinished"] = done.UndoErrors.Count > 0;
                result["kept"] = done.Kept;
                result["rolled_back"] = done.RolledBack;
                result["error"] = done.Error;
                result["undo_errors"] = done.UndoErrors;
                result["proof"] = done.Proof;
                result["restored"] = done.Restored;
                result["tables"] = new Map
                {
                    { "before", done.Before.Lines }, { "tried", done.Tried.Lines }, { "after", done.After.Lines },
                };
                result["report"] = report;
            }
        }
    }
}
