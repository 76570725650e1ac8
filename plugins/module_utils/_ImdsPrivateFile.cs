// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// A file that only its users may read: written in one step, and never readable for anybody else on the way. Twin of
// _identity/private_file.py, with access control lists in place of permission bits.
//
// Only decisions are here; Disk does what they need.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsPrivateFile
{
    // Who may use the file. Entries: SID -> rights. SYSTEM and the administrators always may.
    public sealed class FileAccessList
    {
        private const string UsualMode = "0600";

        private static readonly Regex Mode = new Regex(@"\A0?[0-7]{3}\z");

        public readonly Dictionary<string, int> Entries = new Dictionary<string, int>();

        // From the options mode, owner and group. Throws OptionException: a mode lets everybody in, or there is no such
        // user or group.
        public FileAccessList(IDictionary parameters, Disk disk)
        {
            string mode = (string)parameters["mode"];
            mode = string.IsNullOrEmpty(mode) ? UsualMode : mode;
            if (!Mode.IsMatch(mode))
            {
                throw new OptionException(
                    "mode", Text.Quote(mode) + " is not an octal mode in quotes, such as '0600' or '0640'");
            }
            int[] digits = mode.Substring(mode.Length - 3).Select(digit => digit - '0').ToArray();
            if (digits[2] > 0)
            {
                throw new OptionException(
                    "mode", Text.Quote(mode) + " gives everybody access; end it with 0, as in '0600' or '0640'");
            }
            string owner = Account(parameters, "owner", "user", disk) ?? disk.Me;
            string group = Account(parameters, "group", "group", disk);
            if (owner != disk.Me && !disk.IsAdministrator)
            {
                throw new OptionException(
                    "owner", "only an administrator may give a file to another user; use become");
            }
            Allow(owner, Rights.Of(digits[0]));
            if (group != null)
            {
                Allow(group, Rights.Of(digits[1]));
            }
            Allow(Rights.LocalSystem, Rights.Full);
            Allow(Rights.Administrators, Rights.Full);
        }

        private void Allow(string sid, int rights)
        {
            int already;
            Entries.TryGetValue(sid, out already);
            if ((already | rights) != 0)
            {
                Entries[sid] = already | rights;
            }
        }

        private static string Account(IDictionary parameters, string option, string kind, Disk disk)
        {
            string name = (string)parameters[option];
            string sid = name == null ? null : disk.Sid(name);
            if (name != null && sid == null)
            {
                throw new OptionException(option, "there is no " + kind + " " + Text.Quote(name) + " on this host");
            }
            if (sid != null && Rights.Everybody.Contains(sid))
            {
                throw new OptionException(option, Text.Quote(name) + " is everybody; name who needs the file");
            }
            return sid;
        }
    }

    // What is there. Content: null where it is not to be trusted, because it is a link or another user's file.
    public sealed class Found
    {
        public readonly byte[] Content;
        public readonly bool AsWanted;

        public Found(byte[] content, bool asWanted)
        {
            Content = content;
            AsWanted = asWanted;
        }
    }

    public sealed class PrivateFile
    {
        // More than any token, and than any secret of a Key Vault.
        private const int MaxSize = 1024 * 1024;
        // How often, and after how many seconds, to retry with a file that a scanner or a backup holds.
        private const int Tries = 10;
        private const double Pause = 0.1;

        private readonly FileAccessList access;
        private readonly Disk disk;
        private readonly Action<double> sleep;

        public readonly string Name;

        // path: absolute; its directory is checked. Throws OptionException: dest, where the file could not be kept
        // private or can't be written.
        public PrivateFile(string path, FileAccessList access, Disk disk, Action<double> sleep)
        {
            this.access = access;
            this.disk = disk;
            this.sleep = sleep;
            Name = path;
            if (!disk.IsAbsolute(path))
            {
                throw new OptionException("dest", Text.Quote(path) + " is not the absolute path of a file");
            }
            string directory = Path.GetDirectoryName(path);
            if (!Directory.Exists(directory))
            {
                throw new OptionException(
                    "dest", "the directory " + directory + " does not exist; create it first, for its users only");
            }
            if (Directory.Exists(path))
            {
                throw new OptionException("dest", path + " is a directory; name a file");
            }
            CheckDirectory(directory);
        }

        // The file in the option dest; null without it. Throws OptionException.
        public static PrivateFile Parse(
            IDictionary parameters, FileAccessList access, Disk disk, Action<double> sleep)
        {
            string path = (string)parameters["dest"];
            return string.IsNullOrEmpty(path) ? null : new PrivateFile(path, access, disk, sleep);
        }

        // What is there; null where there is nothing.
        public Found Read()
        {
            try
            {
                FileInfo file = new FileInfo(Name);
                if (!file.Exists)
                {
                    return null;
                }
                Guard guard = disk.Guard(Name, false);
                bool link = (file.Attributes & FileAttributes.ReparsePoint) != 0;
                string[] trusted = { disk.Me, Rights.LocalSystem, Rights.Administrators };
                bool own = guard == null || trusted.Contains(guard.Owner);
                if (link || !own || file.Length > MaxSize)
                {
                    return new Found(null, false);
                }
                return new Found(File.ReadAllBytes(Name), guard == null || guard.IsExactly(access.Entries));
            }
            catch (IOException)
            {
                return new Found(null, false);
            }
            catch (UnauthorizedAccessException)
            {
                return new Found(null, false);
            }
        }

        // Make the content and the access what they should be; whether that changed anything. check: only say what
        // would change. Throws OptionException: it can't be done; what was there is untouched then.
        public bool Store(byte[] content, bool check)
        {
            Found found = Read();
            bool same = found != null && found.Content != null && found.Content.SequenceEqual(content);
            if (!check && same && !found.AsWanted)
            {
                Attempt(() => disk.Protect(Name, access.Entries));
            }
            else if (!check && !same)
            {
                Write(content);
            }
            return !same || !found.AsWanted;
        }

        private void Write(byte[] content)
        {
            string name = "." + Guid.NewGuid().ToString("N") + ".tmp";
            string temporary = Path.Combine(Path.GetDirectoryName(Name), name);
            try
            {
                Attempt(() => Fill(temporary, content));
                Attempt(() => disk.Replace(temporary, Name));
            }
            finally
            {
                Attempt(() => File.Delete(temporary));
            }
        }

        private void Fill(string temporary, byte[] content)
        {
            File.Delete(temporary);
            using (FileStream file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                disk.Protect(temporary, access.Entries);  // first: nobody else may open it with something in it
                file.Write(content, 0, content.Length);
                file.Flush(true);
            }
        }

        private void Attempt(Action work)
        {
            for (int time = 1;; time++)
            {
                string problem;
                try
                {
                    work();
                    return;
                }
                catch (IOException error)
                {
                    problem = error.Message;
                }
                catch (UnauthorizedAccessException error)
                {
                    problem = error.Message;
                }
                if (time == Tries)
                {
                    throw new OptionException("dest", Name + " can't be written: " + problem.TrimEnd('.'));
                }
                sleep(Pause);
            }
        }

        private bool LetsEverybody(string directory, int rights)
        {
            Guard guard = disk.Guard(directory, true);
            return guard != null && guard.LetsEverybody(rights);
        }

        private void CheckDirectory(string directory)
        {
            try
            {
                if (LetsEverybody(directory, Rights.Changing))
                {
                    throw new OptionException(
                        "dest",
                        "everybody may write to the directory " + directory
                        + "; use one that only the file's users may write to");
                }
                for (DirectoryInfo above = new DirectoryInfo(directory).Parent; above != null; above = above.Parent)
                {
                    if (LetsEverybody(above.FullName, Rights.Replacing))
                    {
                        throw new OptionException(
                            "dest",
                            "everybody may write to " + above.FullName + ", and so replace the directory " + directory
                            + "; use another one");
                    }
                }
            }
            catch (SystemException error)  // it is not there any more, or not for this user
            {
                throw new OptionException(
                    "dest",
                    "the directory " + directory + " can't be used: " + error.Message.TrimEnd('.') + "; use become");
            }
        }
    }
}
