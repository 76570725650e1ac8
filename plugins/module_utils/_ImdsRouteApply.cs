// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Carries out a plan's steps: do, prove, keep or roll back, all in one run. Only the order is decided here. Twin of
// _routes/host/apply.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteJournal;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteTables;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteApply
{
    using Map = Dictionary<string, object>;

    // What is done for one reason. Undo reverses Do from any state in between, also that of a step cut short.
    public sealed class Step
    {
        public bool AfterProof;
        public List<Operation> Do;
        public List<Operation> Undo;

        // Throws HostException for an operation that is none.
        public static Step From(IDictionary given)
        {
            return new Step
            {
                AfterProof = Given.Text(given, "phase") == "cleanup",
                Do = Given.Parts(given, "do").Select(Operation.From).ToList(),
                Undo = Given.Parts(given, "undo").Select(Operation.From).ToList(),
            };
        }
    }

    // What the steps may change, as lines to show and to compare: the host routes of IMDS in both stores, and the
    // addresses that the steps name.
    public sealed class Snapshot
    {
        public readonly List<string> Lines = new List<string>();
        // Of the host routes alone.
        public string Digest;
        public string Problem;

        private readonly List<string> addresses;

        public Snapshot(IEnumerable<Step> steps)
        {
            addresses = steps.SelectMany(step => step.Do)
                .Select(operation => operation.Address).Where(address => address.Length > 0).ToList();
        }

        public IEnumerable<Call> Take()
        {
            Lines.Clear();
            Problem = null;
            foreach (string store in Stores.Names.Keys)
            {
                Call look = Stores.Look(store);
                yield return look;
                Note(look);
                Lines.AddRange(Stores.Lines(look, store));
            }
            Digest = HostTables.Digest(Lines);
            if (addresses.Count > 0)
            {
                Call look = Stores.LookAtAddresses("active");
                yield return look;
                Note(look);
                Lines.AddRange(look.Rows.Cast<IDictionary>()
                    .Where(row => addresses.Contains(Given.Text(row, "IPAddress")))
                    .Select(row => Given.Text(row, "IPAddress") + " SkipAsSource " + Given.Flag(row, "SkipAsSource"))
                    .OrderBy(line => line, StringComparer.Ordinal));
            }
        }

        private void Note(Call look)
        {
            Problem = look.Broken ? look.Problem : Problem;
        }
    }

    // Kept: the repair stands. Error: why not, or what went wrong in spite of it. UndoErrors: what could not be rolled
    // back; the journal then stays, and the next run tries again. Warnings: what did no harm. Proof: null where nobody
    // asked. Before, Tried, After: what there was before the steps, when IMDS was asked, and at the end.
    public sealed class Applying
    {
        public bool Kept;
        public bool RolledBack;
        public string Error = "";
        public List<string> UndoErrors = new List<string>();
        public readonly List<string> Warnings = new List<string>();
        public Map Proof;
        public readonly Snapshot Before;
        public readonly Snapshot Tried;
        public readonly Snapshot After;

        private readonly List<Step> steps;
        private readonly Journal journal;
        private readonly string digest;
        // The steps of the repair that were begun, the last one first.
        private readonly List<Step> begun = new List<Step>();

        // digest: of the host routes that the steps were planned for; null without steps.
        public Applying(List<Step> steps, Journal journal, string digest = null)
        {
            this.steps = steps;
            this.journal = journal;
            this.digest = digest;
            Before = new Snapshot(steps);
            Tried = new Snapshot(steps);
            After = new Snapshot(steps);
        }

        // After a rollback: whether all is exactly as it was.
        public bool Restored
        {
            get { return RolledBack && After.Problem == null && After.Lines.SequenceEqual(Before.Lines); }
        }

        // prove: null keeps the repair without a proof. rollback: whether a failed proof rolls it back; a failed step
        // always does. Throws HostException where tables or journal can't be used; nothing was changed then.
        public IEnumerable<Call> Run(Func<Map> prove, bool rollback)
        {
            IEnumerable<Call> calls = Before.Take().Concat(Repair());
            foreach (Call call in calls)
            {
                yield return call;
            }
            bool back = Error.Length > 0;
            bool undecided = false;
            if (!back && prove != null)
            {
                foreach (Call call in Tried.Take())
                {
                    yield return call;
                }
                Proof = prove();
                undecided = true.Equals(Proof["undecided"]);
                Error = true.Equals(Proof["verified"]) || undecided ? "" : (string)Proof["detail"];
                back = Error.Length > 0 && rollback && steps.Count > 0;
            }
            Kept = !back;
            calls = back ? RollBack() : Error.Length == 0 && !undecided ? Cleanup() : new Call[0];
            foreach (Call call in calls.Concat(After.Take()))
            {
                yield return call;
            }
            if (steps.Count > 0 && UndoErrors.Count == 0)
            {
                Close();
            }
        }

        // Roll back what a killed run began, or finish what it had proven.
        public IEnumerable<Call> Recover(Entry entry)
        {
            List<string> errors = new List<string>();
            foreach (Call call in entry.Proven ? Carry(entry.Operations, errors) : Restore(entry.Operations, errors))
            {
                yield return call;
            }
            UndoErrors = entry.Proven ? UndoErrors : errors;
            if (UndoErrors.Count == 0)
            {
                Close();
            }
        }

        private static IEnumerable<Call> Carry(IEnumerable<Operation> operations, List<string> errors)
        {
            return operations.SelectMany(operation => Operations.Carry(operation, errors));
        }

        // One operation that can't be undone does not keep the others from it. Where the interface is gone, there is
        // nothing to restore.
        private IEnumerable<Call> Restore(IEnumerable<Operation> operations, List<string> errors)
        {
            foreach (Operation operation in operations)
            {
                List<string> faults = new List<string>();
                foreach (Call call in Operations.Carry(operation, faults))
                {
                    yield return call;
                }
                if (faults.Count == 0)
                {
                    continue;
                }
                Call look = new Call("Get-NetIPInterface");
                yield return look;
                bool gone = !look.Broken && look.Rows.Cast<IDictionary>()
                    .All(row => Given.Whole(row, "InterfaceIndex") != operation.InterfaceIndex);
                (gone ? Warnings : errors).AddRange(gone ? new[] { Gone(operation) } : faults.ToArray());
            }
        }

        private static string Gone(Operation operation)
        {
            return "Interface " + operation.InterfaceIndex.ToString(CultureInfo.InvariantCulture)
                + " no longer exists, so there is nothing to restore on it.";
        }

        // The next run follows a journal that can't be closed. That is a fault only where it would undo a repair.
        private void Close()
        {
            try
            {
                string warning = journal.Close();
                Warnings.AddRange(warning == null ? new string[0] : new[] { warning });
            }
            catch (HostException error)
            {
                if (!Kept)
                {
                    Warnings.Add(error.Message);
                    return;
                }
                Error += (Error.Length > 0 ? "; " : "")
                    + "the journal can't be finished, and while it is there the next run undoes the repair: "
                    + error.Message;
            }
        }

        // During a repair, failing to write the journal is an error like any other.
        private bool Written(bool proven, IEnumerable<Operation> operations, List<string> errors)
        {
            try
            {
                journal.Write(proven, operations);
                return true;
            }
            catch (HostException error)
            {
                errors.Add(error.Message);
                return false;
            }
        }

        private IEnumerable<Call> Repair()
        {
            if (Before.Problem != null)
            {
                throw new HostException(Before.Problem);
            }
            // What somebody set since the plan was made must survive, so the plan is void.
            if (steps.Count > 0 && digest != Before.Digest)
            {
                throw new HostException(
                    "Nothing was changed: the routes to IMDS are no longer those that were planned for. Run again.");
            }
            if (steps.Count > 0)
            {
                journal.Write(false, new Operation[0]);
            }
            List<string> errors = new List<string>();
            foreach (Step step in steps.Where(step => !step.AfterProof))
            {
                if (!Written(false, step.Undo.Concat(begun.SelectMany(one => one.Undo)), errors))
                {
                    break;
                }
                begun.Insert(0, step);
                foreach (Call call in Carry(step.Do.TakeWhile(operation => errors.Count == 0), errors))
                {
                    yield return call;
                }
                if (errors.Count > 0)
                {
                    break;
                }
            }
            Error = string.Join("; ", errors);
        }

        // The steps that can't be undone, and so had to wait for the proof.
        private IEnumerable<Call> Cleanup()
        {
            List<Operation> cleanup = steps.Where(step => step.AfterProof).SelectMany(step => step.Do).ToList();
            List<string> errors = new List<string>();
            // Without it, a run killed now would be rolled back: the repair stands, and the cleanup waits.
            if (cleanup.Count > 0 && Written(true, cleanup, errors))
            {
                foreach (Call call in Carry(cleanup, errors))
                {
                    yield return call;
                }
            }
            Error = string.Join("; ", errors);
        }

        private IEnumerable<Call> RollBack()
        {
            // Where the first change was refused there is nothing to undo, and trying would be refused as well.
            foreach (Call call in After.Take())
            {
                yield return call;
            }
            bool untouched = After.Problem == null && After.Lines.SequenceEqual(Before.Lines);
            IEnumerable<Operation> undo = begun.SelectMany(step => step.Undo);
            foreach (Call call in untouched ? new Call[0] : Restore(undo, UndoErrors))
            {
                yield return call;
            }
            RolledBack = UndoErrors.Count == 0;
        }
    }
}
