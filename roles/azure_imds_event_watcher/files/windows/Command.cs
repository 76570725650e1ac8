// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The user's command: what it is given, and its life from start to end. Twin of _watcher/commands.py.

using System;
using System.Collections;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;

namespace Imds.EventWatcher
{
    using Map = Dictionary<string, object>;

    // Throws Win32Exception: it can't be started.
    public sealed class Run : IDisposable
    {
        private const string Prefix = "AZURE_EVENT_";
        // The system takes 32 KiB per variable. A longer value is left out; standard input has everything.
        private const int Longest = 30 * 1024;

        private readonly Process process;
        private readonly double end;

        public bool TimedOut;

        // limit: seconds that it may take. say: gets each line that it writes.
        public Run(
            IList<string> command, string phase, Map shown, string host, double limit, double now, Action<string> say)
        {
            ProcessStartInfo start = new ProcessStartInfo
            {
                FileName = command[0],
                Arguments = string.Join(" ", command.Skip(1).Select(Quote)),
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (string stale in start.EnvironmentVariables.Keys.Cast<string>()
                .Where(name => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)).ToList())
            {
                start.EnvironmentVariables.Remove(stale);
            }
            foreach (KeyValuePair<string, string> variable in Variables(phase, shown, host))
            {
                start.EnvironmentVariables[variable.Key] = variable.Value;
            }
            end = now + limit;
            process = new Process { StartInfo = start };
            process.OutputDataReceived += (sender, line) => Pass(line.Data, say);
            process.ErrorDataReceived += (sender, line) => Pass(line.Data, say);
            process.Start();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            byte[] message = Encoding.ASCII.GetBytes(JsonText.Write(Message(phase, shown, host)) + "\n");
            // A thread of its own: a command that reads nothing can't make the watcher wait.
            new Thread(() => Give(process.StandardInput.BaseStream, message)) { IsBackground = true }.Start();
        }

        // What a command reads: the same that the event source gives to a rulebook.
        public static Map Message(string phase, Map shown, string host)
        {
            return new Map
            {
                { "azure_scheduled_event", shown },
                { "meta", new Map { { "phase", phase }, { "host", host } } },
            };
        }

        // The same as environment variables. Lists are joined by commas, booleans are true or false, null is empty.
        public static Dictionary<string, string> Variables(string phase, Map shown, string host)
        {
            Dictionary<string, string> found = new Dictionary<string, string>
            {
                { Prefix + "PHASE", phase }, { Prefix + "HOST", host },
            };
            foreach (KeyValuePair<string, object> entry in shown)
            {
                string name = entry.Key.StartsWith("event_", StringComparison.Ordinal)
                    ? entry.Key.Substring("event_".Length) : entry.Key;
                string text = Written(entry.Value).Replace("\0", "");
                if (text.Length <= Longest)
                {
                    found[Prefix + name.ToUpperInvariant()] = text;
                }
            }
            return found;
        }

        // How it ended, such as "exit status 1"; null while it runs. What outlasts its limit is ended here.
        public string Ended(double now)
        {
            if (process.HasExited)
            {
                return "exit status " + process.ExitCode;
            }
            if (now >= end && !TimedOut)
            {
                TimedOut = true;
                Kill();
            }
            return null;
        }

        public void Dispose()
        {
            process.Dispose();
        }

        // With what it has started, where the system offers that.
        private void Kill()
        {
            try
            {
                if (Environment.OSVersion.Platform == PlatformID.Win32NT)
                {
                    ProcessStartInfo tree = new ProcessStartInfo("taskkill.exe", "/T /F /PID " + process.Id)
                    {
                        UseShellExecute = false, CreateNoWindow = true,
                    };
                    using (Process killer = Process.Start(tree))
                    {
                        killer.WaitForExit(10000);
                    }
                }
                else
                {
                    process.Kill();
                }
            }
            catch (InvalidOperationException)  // it has just ended
            {
            }
            catch (Win32Exception)  // it is about to end
            {
            }
        }

        private static void Pass(string line, Action<string> say)
        {
            if (!string.IsNullOrEmpty(line))
            {
                say(line);
            }
        }

        private static void Give(Stream input, byte[] message)
        {
            try
            {
                using (input)
                {
                    input.Write(message, 0, message.Length);
                }
            }
            catch (IOException)  // the command does not want it
            {
            }
            catch (ObjectDisposedException)  // or has ended
            {
            }
        }

        private static string Written(object value)
        {
            if (value is bool)
            {
                return (bool)value ? "true" : "false";
            }
            IEnumerable list = value is string ? null : value as IEnumerable;
            return list != null
                ? string.Join(",", list.Cast<object>().Select(Written))
                : Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        // As programs on Windows take their command line apart.
        private static string Quote(string argument)
        {
            StringBuilder quoted = new StringBuilder("\"");
            int backslashes = 0;
            foreach (char character in argument)
            {
                if (character == '\\')
                {
                    backslashes++;
                    continue;
                }
                quoted.Append('\\', character == '"' ? backslashes * 2 + 1 : backslashes).Append(character);
                backslashes = 0;
            }
            return quoted.Append('\\', backslashes * 2).Append('"').ToString();
        }
    }
}
