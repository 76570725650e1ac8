// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What keeping a file private needs of the system: access control lists, accounts, and to replace a file. Decides
// nothing. Only Windows has the first two; elsewhere, which is where tests run, there is nobody to keep out.

using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Security.AccessControl;
using System.Security.Principal;
using System.Text.RegularExpressions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsDisk
{
    // Rights as Windows numbers them (FileSystemRights), and who they are for.
    public static class Rights
    {
        public const string LocalSystem = "S-1-5-18";
        public const string Administrators = "S-1-5-32-544";

        public const int Full = 0x1F01FF;
        // To put files into a directory, remove them, or give oneself the right to.
        public const int Changing = 0x2 | Replacing;
        // To remove or rename what is in a directory, or give oneself the right to.
        public const int Replacing = 0x40 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000;

        // Goes with every right, whether or not it is asked for.
        public const int Synchronize = 0x100000;

        // Everyone, Anonymous, Authenticated Users, Interactive, Network, Users, Guests, and app containers.
        public static readonly HashSet<string> Everybody = new HashSet<string>
        {
            "S-1-1-0", "S-1-5-7", "S-1-5-11", "S-1-5-4", "S-1-5-2", "S-1-5-32-545", "S-1-5-32-546", "S-1-15-2-1",
        };

        // What a digit of a mode allows: 4 to read, 2 to write and delete, 1 to execute.
        public static int Of(int digit)
        {
            return ((digit & 4) > 0 ? 0x20089 : 0) | ((digit & 2) > 0 ? 0x10116 : 0) | ((digit & 1) > 0 ? 0x20 : 0);
        }
    }

    // One entry of an access control list that applies to the object itself.
    public sealed class GuardEntry
    {
        public readonly string Sid;
        public readonly int Rights;
        public readonly bool Allows;

        public GuardEntry(string sid, int rights, bool allows)
        {
            Sid = sid;
            Rights = rights;
            Allows = allows;
        }
    }

    // Who owns a file or directory, and who may do what. Inherits: entries of the directory count, too.
    public sealed class Guard
    {
        public string Owner;
        public bool Inherits;
        public List<GuardEntry> Entries = new List<GuardEntry>();

        // Whether exactly these may do exactly this.
        public bool IsExactly(Dictionary<string, int> wanted)
        {
            return !Inherits && Entries.Count == wanted.Count && Entries.All(
                entry => entry.Allows && wanted.ContainsKey(entry.Sid)
                    && (entry.Rights | Rights.Synchronize) == (wanted[entry.Sid] | Rights.Synchronize));
        }

        // Whether everybody who can log on, or even more, has one of these rights. An entry that denies it to some does
        // not count: it is not known to deny it to all.
        public bool LetsEverybody(int rights)
        {
            return Entries.Any(
                entry => entry.Allows && Rights.Everybody.Contains(entry.Sid) && (entry.Rights & rights) != 0);
        }
    }

    public class Disk
    {
        private const int ReplaceExisting = 1;
        private const int WriteThrough = 8;

        // Drive or share, directories, and a file's name. A colon after the drive would name a stream.
        public static readonly Regex WindowsPath = new Regex(
            @"\A(?:[A-Za-z]:[\\/]|[\\/]{2}[^<>:""|?*\x00-\x1f\\/]+[\\/][^<>:""|?*\x00-\x1f\\/]+[\\/])"
            + @"[^<>:""|?*\x00-\x1f]*[^<>:""|?*\x00-\x1f\\/]\z");

        protected static bool OnWindows
        {
            get { return Environment.OSVersion.Platform == PlatformID.Win32NT; }
        }

        // SID of the user that runs this.
        public virtual string Me
        {
            get { return OnWindows ? WindowsIdentity.GetCurrent().User.Value : ""; }
        }

        public virtual bool IsAdministrator
        {
            get
            {
                return OnWindows
                    && new WindowsPrincipal(WindowsIdentity.GetCurrent()).IsInRole(WindowsBuiltInRole.Administrator);
            }
        }

        // SID of a user or group, by its name or itself; null if there is none.
        public virtual string Sid(string name)
        {
            if (!OnWindows)
            {
                return null;
            }
            try
            {
                return name.StartsWith("S-1-", StringComparison.OrdinalIgnoreCase)
                    ? new SecurityIdentifier(name).Value
                    : new NTAccount(name).Translate(typeof(SecurityIdentifier)).Value;
            }
            catch (ArgumentException)
            {
                return null;
            }
            catch (IdentityNotMappedException)
            {
                return null;
            }
        }

        // Whether it names a file by its whole path.
        public virtual bool IsAbsolute(string path)
        {
            return OnWindows
                ? WindowsPath.IsMatch(path)
                : path.StartsWith("/", StringComparison.Ordinal) && !path.EndsWith("/", StringComparison.Ordinal);
        }

        // Null where there are no access control lists.
        public virtual Guard Guard(string path, bool directory)
        {
            return OnWindows ? GuardOnWindows(path, directory) : null;
        }

        // Let exactly these in: SID -> rights.
        public virtual void Protect(string path, Dictionary<string, int> entries)
        {
            if (OnWindows)
            {
                ProtectOnWindows(path, entries);
            }
#if UNIX
            else
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
#endif
        }

        // Put one file in the place of another, which may be there or not, in one step. Unlike File.Replace, this keeps
        // nothing of the other file, such as its owner and who may read it.
        public virtual void Replace(string from, string to)
        {
            if (!OnWindows)
            {
                if (File.Exists(to))
                {
                    File.Replace(from, to, null);
                }
                else
                {
                    File.Move(from, to);
                }
            }
            else if (!MoveFileEx(from, to, ReplaceExisting | WriteThrough))
            {
                throw new IOException(new Win32Exception(Marshal.GetLastWin32Error()).Message);
            }
        }

        private static Guard GuardOnWindows(string path, bool directory)
        {
            const AccessControlSections Sections = AccessControlSections.Access | AccessControlSections.Owner;
            FileSystemSecurity security = directory
                ? (FileSystemSecurity)new DirectoryInfo(path).GetAccessControl(Sections)
                : new FileInfo(path).GetAccessControl(Sections);
            Guard guard = new Guard
            {
                Owner = security.GetOwner(typeof(SecurityIdentifier)).Value,
                Inherits = !security.AreAccessRulesProtected,
            };
            foreach (FileSystemAccessRule rule in security.GetAccessRules(true, true, typeof(SecurityIdentifier)))
            {
                if ((rule.PropagationFlags & PropagationFlags.InheritOnly) == 0)
                {
                    bool allows = rule.AccessControlType == AccessControlType.Allow;
                    guard.Entries.Add(
                        new GuardEntry(rule.IdentityReference.Value, (int)rule.FileSystemRights, allows));
                }
            }
            return guard;
        }

        private static void ProtectOnWindows(string path, Dictionary<string, int> entries)
        {
            FileSecurity security = new FileSecurity();
            security.SetAccessRuleProtection(true, false);
            foreach (KeyValuePair<string, int> entry in entries)
            {
                SecurityIdentifier who = new SecurityIdentifier(entry.Key);
                FileSystemRights rights = (FileSystemRights)entry.Value;
                security.AddAccessRule(new FileSystemAccessRule(who, rights, AccessControlType.Allow));
            }
            new FileInfo(path).SetAccessControl(security);
        }

        [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool MoveFileEx(string from, string to, int flags);
    }
}
