// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The resident watcher as a program.
//
// PROGRAM CONFIG            watch until the process is ended
// PROGRAM CONFIG --check    read the configuration, print the release
// PROGRAM CONFIG --polls N  end after N polls, and after the commands that these started

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsJson;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace Imds.EventWatcher
{
    using Map = Dictionary<string, object>;

    public static class Program
    {
        // Off Azure there is nothing to do, which is no failure.
        private const int Done = 0;
        private const int Failed = 1;
        private const int Misused = 2;
        // Bytes of the log, after which a new one is begun. The last one is kept.
        private const long LongestLog = 1024 * 1024;

        private static readonly object Turn = new object();
        private static string logFile;

        public static int Main(string[] arguments)
        {
            CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
            System.Threading.Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
            try
            {
                // Else commands would find a mark of the encoding before the JSON, on systems whose code page is UTF-8.
                Console.InputEncoding = new UTF8Encoding(false);
            }
            catch (IOException)  // there is no console
            {
            }
            int polls = -1;
            bool check = arguments.Length == 2 && arguments[1] == "--check";
            bool counted = arguments.Length == 3 && arguments[1] == "--polls"
                && int.TryParse(arguments[2], NumberStyles.None, CultureInfo.InvariantCulture, out polls);
            if (arguments.Length != 1 && !check && !counted)
            {
                Log("usage: PROGRAM CONFIG [--check | --polls N]");
                return Misused;
            }
            WatcherSettings settings;
            try
            {
                settings = new WatcherSettings((Map)Json.Parse(File.ReadAllText(arguments[0], Encoding.UTF8)));
            }
            catch (Exception error)
            {
                Log(arguments[0] + ": " + error.Message);
                return Misused;
            }
            if (check)
            {
                return Done;
            }
            logFile = Path.ChangeExtension(settings.StateFile, ".log");
            return Watch(settings, counted ? polls : -1);
        }

        private static int Watch(WatcherSettings settings, int polls)
        {
            World world = new World();
            try
            {
                Platform.RequireAzure(settings.Reading.Settings, world.Firmware);
            }
            catch (ImdsException error)
            {
                Log("nothing to watch: " + error.Explanation + " " + error.Reason.Remedy);
                return error.Reason.Code == "not_azure" ? Done : Failed;
            }
            Watcher watcher = new Watcher(settings, Log, world);
            for (; polls != 0; polls = Math.Max(polls - 1, -1))
            {
                watcher.Wait(watcher.Poll() - world.Clock());
            }
            watcher.Finish();
            return Done;
        }

        private static void Log(string sentence)
        {
            string line = Text.Printable(sentence);
            lock (Turn)
            {
                Console.Error.WriteLine(line);
                if (logFile == null)
                {
                    return;
                }
                try
                {
                    FileInfo log = new FileInfo(logFile);
                    if (log.Exists && log.Length > LongestLog)
                    {
                        File.Delete(logFile + ".old");
                        File.Move(logFile, logFile + ".old");
                    }
                    string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH':'mm':'ss'Z'");
                    File.AppendAllText(logFile, time + " " + line + Environment.NewLine, new UTF8Encoding(false));
                }
                catch (IOException)  // a log that can't be written stops nothing
                {
                }
                catch (UnauthorizedAccessException)
                {
                }
            }
        }
    }
}
