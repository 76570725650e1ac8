// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Asks for events, and runs the user's command for each phase of each. Twin of _watcher/watcher.py and observer.py.

using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.IO;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEventService;
using ansible_collections.imds.azure.plugins.module_utils._ImdsEvents;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;

namespace Imds.EventWatcher
{
    using Map = Dictionary<string, object>;

    public sealed class Watcher
    {
        // Commands for different events that run at the same time.
        private const int AtOnce = 8;
        // Seconds between two looks at commands that run.
        private const double Glance = 0.2;

        private readonly WatcherSettings settings;
        private readonly Action<string> log;
        private readonly World world;
        private readonly Action<double> sleep;
        private readonly Service service;
        private readonly Pace pace;
        private readonly Ledger ledger;
        private readonly Watch watch;
        private readonly Dictionary<Due, Run> runs = new Dictionary<Due, Run>();
        private Map kept;
        private bool announced;
        private bool unsaved;

        public Watcher(WatcherSettings settings, Action<string> log, World world)
        {
            this.settings = settings;
            this.log = log;
            this.world = world;
            sleep = world.Sleep;
            world.Sleep = Wait;  // commands are looked after between the tries of one look, too
            service = new Service(settings.Reading, world);
            pace = new Pace(settings.Interval, settings.LongestWait);
            ledger = new Ledger(settings.Phases, AtOnce);
            kept = ReadState();
            watch = new Watch(kept == null ? null : (Map)kept["watch"]);
        }

        // Ask once, and start what has become due; when to ask next.
        public double Poll()
        {
            EventDocument document;
            try
            {
                document = Look();
            }
            catch (ImdsException error)
            {
                if (pace.Errors == 0)
                {
                    log("no events: " + error.Explanation);
                }
                return pace.Failed(world.Clock());
            }
            if (pace.Errors > 0 || !announced)
            {
                announced = true;
                log("watching the events of " + (service.VmName ?? "a VM without a name")
                    + " with API version " + service.ApiVersion);
            }
            double next = pace.Answered(world.Clock());
            Take(document);
            return next;
        }

        // Let time pass, and look after the commands meanwhile.
        public void Wait(double seconds)
        {
            double until = world.Clock() + seconds;
            while (true)
            {
                Tend();
                double left = until - world.Clock();
                if (left <= 0)
                {
                    return;
                }
                sleep(runs.Count > 0 ? Math.Min(left, Glance) : left);
            }
        }

        // Wait until no command runs.
        public void Finish()
        {
            while (runs.Count > 0)
            {
                Wait(Glance);
            }
        }

        // The events that count. Throws ImdsException.
        private EventDocument Look()
        {
            // The log of attempts is of no use here, and would grow.
            service.Client.Attempts.Clear();
            if (service.VmName == null)
            {
                service.Identify();
                if (service.VmName == null && settings.Selection.Mine)
                {
                    throw new ImdsException(
                        "not_found", "the name of this VM, without which its own events are unknown");
                }
            }
            EventDocument document = service.Read();
            List<ScheduledEvent> chosen = settings.Selection.Choose(document.Events);
            document.Events.RemoveAll(one => !chosen.Contains(one));
            return document;
        }

        // Note what has changed, and start the commands. The state is written after that, because writing takes time.
        private void Take(EventDocument document)
        {
            if (kept != null)
            {
                foreach (Due due in ledger.Resume((List<object>)kept["due"], document.Events))
                {
                    log(due + " is over and not repeated");
                }
                kept = null;
            }
            List<Change> changes = watch.See(document);
            foreach (Change change in changes)
            {
                IEnumerable<string> names = ((System.Collections.IEnumerable)change.Shown["resources"]).Cast<string>();
                log(change.Phase + ": " + change.Shown["event_type"] + " of " + string.Join(", ", names.Take(5))
                    + (change.Shown["not_before"] == null ? "" : ", not before " + change.Shown["not_before"])
                    + ", event " + change.Shown["event_id"]);
                if (!ledger.Add(change.Phase, change.Shown))
                {
                    log("more than " + Ledger.MostDue + " commands are due; none is run for this one");
                }
            }
            if (Start() || changes.Count > 0)
            {
                Save();
            }
        }

        private void Tend()
        {
            if (Reap())
            {
                Start();
                Save();
            }
        }

        // Start what can start; whether there was anything. What can't be started counts as ended.
        private bool Start()
        {
            bool found = false;
            while (kept == null)
            {
                List<Due> startable = ledger.Startable();
                if (startable.Count == 0)
                {
                    break;
                }
                found = true;
                startable.ForEach(StartOne);
            }
            return found;
        }

        private void StartOne(Due due)
        {
            try
            {
                runs[due] = new Run(
                    settings.Command, due.Phase, due.Shown, service.VmName ?? "", settings.CommandTimeout,
                    world.Clock(), line => log(due + "| " + line));
                due.Running = true;
            }
            catch (Win32Exception error)
            {
                log(due + ": " + settings.Command[0] + " can't be run: " + error.Message);
                ledger.Ended(due);
            }
        }

        // Take note of the commands that have ended; whether there were any.
        private bool Reap()
        {
            bool found = false;
            foreach (KeyValuePair<Due, Run> one in runs.ToList())
            {
                string how = one.Value.Ended(world.Clock());
                if (how == null)
                {
                    continue;
                }
                found = true;
                runs.Remove(one.Key);
                ledger.Ended(one.Key);
                string limit = one.Value.TimedOut ? " after its limit of " + settings.CommandTimeout + " s" : "";
                log(one.Key + ": the command ended with " + how + limit);
                one.Value.Dispose();
            }
            return found;
        }

        private Map ReadState()
        {
            try
            {
                return StateFile.Read(settings.StateFile);
            }
            catch (JsonException error)
            {
                string aside = StateFile.SetAside(settings.StateFile);
                log(settings.StateFile + ": " + error.Message + "; it is now " + aside
                    + ", and commands may be repeated");
                return null;
            }
        }

        private void Save()
        {
            try
            {
                StateFile.Write(settings.StateFile, watch.State(), ledger.State());
                unsaved = false;
            }
            catch (SystemException error)
            {
                if (!(error is IOException) && !(error is UnauthorizedAccessException))
                {
                    throw;
                }
                if (!unsaved)
                {
                    log(settings.StateFile + ": " + error.Message + " A restart may repeat commands.");
                }
                unsaved = true;
            }
        }
    }
}
