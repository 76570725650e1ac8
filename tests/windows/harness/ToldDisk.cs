// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// A disk with the accounts and access control lists of Windows, over files of this system.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using ansible_collections.imds.azure.plugins.module_utils._ImdsDisk;

namespace ImdsTests
{
    using Map = Dictionary<string, object>;

    // given: me, a SID; administrator; accounts, name -> SID; guards, path -> owner, inherits, and entries of SID,
    // rights and whether they allow; crash, a file whose content is quoted by an exception that nobody expects. A file that is not among them belongs to me, and its directory's entries apply.
    // Protect and Replace update these, so that a later call can be given them.
    public sealed class ToldDisk : Disk
    {
        private readonly Map given;
        private readonly Dictionary<string, Guard> guards = new Dictionary<string, Guard>();
        // What was done, in order: protect PATH SIZE, replace PATH.
        public readonly List<string> Log = new List<string>();

        public ToldDisk(Map given)
        {
            this.given = given;
            object told;
            given.TryGetValue("guards", out told);
            foreach (KeyValuePair<string, object> each in told as Map ?? new Map())
            {
                Map guard = (Map)each.Value;
                guards[each.Key] = new Guard
                {
                    Owner = (string)guard["owner"],
                    Inherits = (bool)guard["inherits"],
                    Entries = ((List<object>)guard["entries"]).Cast<List<object>>().Select(
                        entry => new GuardEntry((string)entry[0], (int)(long)entry[1], (bool)entry[2])).ToList(),
                };
            }
        }

        public override string Me
        {
            get { return (string)given["me"]; }
        }

        public override bool IsAdministrator
        {
            get { return (bool)given["administrator"]; }
        }

        public override string Sid(string name)
        {
            object sid;
            ((Map)given["accounts"]).TryGetValue(name, out sid);
            return (string)sid;
        }

        public override Guard Guard(string path, bool directory)
        {
            Guard guard;
            return guards.TryGetValue(path, out guard) ? guard : new Guard { Owner = Me, Inherits = true };
        }

        public override void Protect(string path, Dictionary<string, int> entries)
        {
            if (given.ContainsKey("crash"))
            {
                throw new InvalidOperationException("told to crash with " + File.ReadAllText((string)given["crash"]));
            }
            Log.Add("protect with " + new FileInfo(path).Length + " bytes");
            guards[path] = new Guard
            {
                Owner = Me,
                Entries = entries.Select(entry => new GuardEntry(entry.Key, entry.Value, true)).ToList(),
            };
        }

        public override void Replace(string from, string to)
        {
            Log.Add("replace");
            base.Replace(from, to);
            guards[to] = guards[from];
            guards.Remove(from);
        }

        public Map Shown()
        {
            return guards.ToDictionary(each => each.Key, each => (object)new Map
            {
                { "owner", each.Value.Owner },
                { "inherits", each.Value.Inherits },
                {
                    "entries", each.Value.Entries.Select(entry => new object[] { entry.Sid, entry.Rights, entry.Allows })
                },
            });
        }
    }
}
