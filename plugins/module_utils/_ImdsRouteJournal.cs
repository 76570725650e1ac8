// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a run is about to do, on disk before it does it, so that a killed run can be rolled back. Twin of
// _routes/host/journal.py.
//
// The journal lists what is left to do: the operations that roll back the begun steps, or, once the repair is proven,
// those that remain. All of them may be repeated, so a reboot in between does no harm. A last line marks it as
// finished, because a file that a virus scanner holds open can't be deleted.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteCall;
using ansible_collections.imds.azure.plugins.module_utils._ImdsRouteOperations;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsRouteJournal
{
    public sealed class Entry
    {
        public bool Proven;
        public List<Operation> Operations = new List<Operation>();
    }

    public sealed class BusyException : HostException
    {
        public BusyException() : base("Another run of the route fix is under way on this host. Run again.")
        {
        }
    }

    public class Journal
    {
        private const string Head = "imds.azure route fix";
        private const string RollBack = "roll back";
        private const string Finish = "finish";
        private const string Finished = "finished";

        // How often, and after how many seconds, to retry with a file that another program holds.
        private const int Tries = 10;
        private const double Pause = 0.1;

        private readonly string directory;
        private readonly Action<double> sleep;

        public readonly string FilePath;

        public Journal(string directory, Action<double> sleep)
        {
            this.directory = directory;
            this.sleep = sleep;
            FilePath = Path.Combine(directory, "route_fix.txt");
        }

        private string Temporary
        {
            get { return FilePath + ".new"; }
        }

        // Where only administrators may write, so that nobody else can plant operations. On other systems than Windows
        // there are no program files.
        public static string DefaultDirectory()
        {
            string programs = Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles);
            string common = Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData);
            return Path.Combine(programs.Length > 0 ? programs : common, "imds.azure");
        }

        // What an earlier run left; null if nothing is unfinished. Throws HostException if it can't be understood.
        public Entry Unfinished()
        {
            if (!File.Exists(FilePath))
            {
                return null;
            }
            List<string> lines = Attempt(() => File.ReadAllText(FilePath)).Split('\n').ToList();
            // After the last line break comes nothing, or the beginning of a word whose writer was killed.
            bool whole = Finished.StartsWith(lines.Last(), StringComparison.Ordinal);
            lines.RemoveAt(lines.Count - 1);
            bool valid = whole && lines.Count > 1 && lines[0] == Head && (lines[1] == RollBack || lines[1] == Finish);
            if (valid && lines.Last() == Finished)
            {
                return null;
            }
            try
            {
                if (valid)
                {
                    List<Operation> operations = lines.Skip(2).Select(Operation.FromLine).ToList();
                    return new Entry { Proven = lines[1] == Finish, Operations = operations };
                }
            }
            catch (HostException)
            {
                // Reported below.
            }
            throw new HostException(
                FilePath + " is not a journal of the route fix: look at the routes, then remove it");
        }

        // Replace the journal at once: a reader sees the old one or the new one, after a crash too.
        public void Write(bool proven, IEnumerable<Operation> operations)
        {
            List<string> lines = new List<string> { Head, proven ? Finish : RollBack };
            lines.AddRange(operations.Select(operation => operation.ToLine()));
            Attempt(() => Save(Temporary, FileMode.Create, lines));
            Attempt(() =>
            {
                if (File.Exists(FilePath))
                {
                    File.Replace(Temporary, FilePath, null);
                }
                else
                {
                    File.Move(Temporary, FilePath);
                }
                return true;
            });
        }

        // Nothing is unfinished any more. Returns what to warn of, or null; throws HostException where the journal can
        // neither be finished nor deleted, so that the next run still follows it.
        public string Close()
        {
            if (!File.Exists(FilePath))
            {
                return null;
            }
            HostException unfinished = null;
            try
            {
                Attempt(() => Append(Finished));
            }
            catch (HostException error)
            {
                unfinished = error;
            }
            try
            {
                Attempt(Delete);
                return null;
            }
            catch (HostException error)
            {
                if (unfinished != null)
                {
                    throw unfinished;
                }
                return "The journal " + FilePath + " is finished, but can't be deleted: " + error.Message;
            }
        }

        protected virtual bool Append(string line)
        {
            return Save(FilePath, FileMode.Append, new[] { line });
        }

        protected virtual bool Delete()
        {
            File.Delete(FilePath);
            return true;
        }

        private static bool Save(string path, FileMode mode, IEnumerable<string> lines)
        {
            byte[] text = new UTF8Encoding(false).GetBytes(string.Concat(lines.Select(line => line + "\n")));
            using (FileStream file = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite))
            {
                file.Write(text, 0, text.Length);
                file.Flush(true);
            }
            return true;
        }

        // Put a journal that can't be understood out of the way, and tell where to.
        public string SetAside()
        {
            string aside = FilePath + ".unreadable";
            Attempt(() =>
            {
                File.Delete(aside);
                File.Move(FilePath, aside);
                return true;
            });
            return aside;
        }

        // Whether a run is under way, which then is not a killed one.
        public bool IsInUse()
        {
            try
            {
                Alone().Dispose();
                return false;
            }
            catch (BusyException)
            {
                return true;
            }
            catch (HostException)
            {
                return false;
            }
        }

        // Keep other runs on this host out, until it is disposed of or the process ends.
        public IDisposable Alone()
        {
            Attempt(() => Directory.CreateDirectory(directory));
            string name = Path.Combine(directory, "route_fix.lock");
            try
            {
                IDisposable hold = new FileStream(
                    name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
                if (File.Exists(Temporary))
                {
                    File.Delete(Temporary);  // left by a run that was killed
                }
                return hold;
            }
            catch (IOException)
            {
                throw new BusyException();
            }
            catch (UnauthorizedAccessException error)
            {
                throw Refused(error);
            }
        }

        private static HostException Refused(Exception error)
        {
            return new HostException(error.Message.TrimEnd('.') + ". Administrator's rights are needed.");
        }

        // A scanner or a backup may hold a file for a moment.
        private T Attempt<T>(Func<T> work)
        {
            for (int time = 1;; time++)
            {
                try
                {
                    return work();
                }
                catch (IOException error)
                {
                    if (time == Tries)
                    {
                        throw new HostException(error.Message);
                    }
                }
                catch (UnauthorizedAccessException error)
                {
                    if (time == Tries)
                    {
                        throw Refused(error);
                    }
                }
                catch (SecurityException error)
                {
                    throw Refused(error);
                }
                sleep(Pause);
            }
        }
    }
}
