// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What is under way, on disk before it is done, so that a run that was killed can be taken back. Twin of
// _routes/host/journal.py.
//
// The journal says what brings the host to rest: the operations that take the begun steps back, or, once the repair is
// proven, those that are left. All of them may be repeated, so a reboot in between does no harm.

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

    public sealed class Journal
    {
        private const string Head = "imds.azure route fix";
        private const string TakeBack = "take back";
        private const string Finish = "finish";

        private readonly string directory;

        public readonly string FilePath;

        public Journal(string directory)
        {
            this.directory = directory;
            FilePath = Path.Combine(directory, "route_fix.txt");
        }

        // Where only administrators may write, so that nobody else can plant operations. Elsewhere than on Windows
        // there are no program files.
        public static string DefaultDirectory()
        {
            string programs = Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles);
            string common = Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData);
            return Path.Combine(programs.Length > 0 ? programs : common, "imds.azure");
        }

        // What an earlier run left; null where nothing is unfinished. Throws HostException where it can't be
        // understood.
        public Entry Read()
        {
            if (!File.Exists(FilePath))
            {
                return null;
            }
            string[] lines = Attempt(() => File.ReadAllLines(FilePath));
            bool valid = lines.Length > 1 && lines[0] == Head && (lines[1] == TakeBack || lines[1] == Finish);
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
                // Said below.
            }
            throw new HostException(
                FilePath + " is not a journal of the route fix: look at the routes, then remove it");
        }

        // Replace the journal at once: a reader sees the old one or the new one, after a crash too.
        public void Write(bool proven, IEnumerable<Operation> operations)
        {
            List<string> lines = new List<string> { Head, proven ? Finish : TakeBack };
            lines.AddRange(operations.Select(operation => operation.ToLine()));
            byte[] text = new UTF8Encoding(false).GetBytes(string.Join("\n", lines) + "\n");
            string temporary = FilePath + ".new";
            Attempt(() =>
            {
                using (FileStream file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
                {
                    file.Write(text, 0, text.Length);
                    file.Flush(true);
                }
                if (File.Exists(FilePath))
                {
                    File.Replace(temporary, FilePath, null);
                }
                else
                {
                    File.Move(temporary, FilePath);
                }
                return true;
            });
        }

        // Nothing is unfinished any more.
        public void Remove()
        {
            Attempt(() =>
            {
                File.Delete(FilePath);
                return true;
            });
        }

        // Keep other runs on this host out, until it is disposed of or the process ends.
        public IDisposable Alone()
        {
            Attempt(() => Directory.CreateDirectory(directory));
            string name = Path.Combine(directory, "route_fix.lock");
            try
            {
                return new FileStream(
                    name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException)
            {
                throw new HostException("Another run of the route fix is under way on this host. Run again.");
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

        private static T Attempt<T>(Func<T> work)
        {
            try
            {
                return work();
            }
            catch (IOException error)
            {
                throw new HostException(error.Message);
            }
            catch (UnauthorizedAccessException error)
            {
                throw Refused(error);
            }
            catch (SecurityException error)
            {
                throw Refused(error);
            }
        }
    }
}
