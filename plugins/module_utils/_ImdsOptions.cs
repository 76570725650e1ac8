// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a user may set, checked once. Pure. Twin of _imds/options.py.

using System;
using System.Collections;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsOptions
{
    // An option can't be used: its name, what is wrong, and what to give instead.
    public sealed class OptionException : Exception
    {
        public OptionException(string option, string problem) : base(option + ": " + problem)
        {
        }
    }

    // Times are in seconds. Host and Port are the parts of the endpoint.
    public sealed class Settings
    {
        public string Host = "169.254.169.254";
        public int Port = 80;
        public string ApiVersion;
        public string Detect = "auto";
        public string ChassisAssetTag;
        public double ConnectTimeout = 2;
        public double ReadTimeout = 10;
        public double Timeout = 30;
        public double UpdatingTimeout = 100;
        public bool IncludeUserData;
        public bool IncludePublicKeys;
        public bool LoadBalancer;

        public bool Forced
        {
            get { return Detect == "force"; }
        }

        // The same settings with other times.
        public Settings Within(double timeout, double readTimeout, double updatingTimeout)
        {
            Settings copy = (Settings)MemberwiseClone();
            copy.Timeout = timeout;
            copy.ReadTimeout = readTimeout;
            copy.UpdatingTimeout = updatingTimeout;
            return copy;
        }

        public bool Loopback
        {
            get { return Host.StartsWith("127.", StringComparison.Ordinal) || Host == "::1"; }
        }
    }

    public static class Options
    {
        public const string Endpoint = "http://169.254.169.254";

        private const double LongestTime = 3600;

        // [IPv6] or name, port.
        private static readonly Regex EndpointPattern = new Regex(
            @"\Ahttp://(?:\[([0-9A-Fa-f:.]+)\]|([^/:?#@\[\]]+))(?::([0-9]{1,5}))?/?\z");
        private static readonly Regex Date = new Regex(@"\A[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\z");
        private static readonly Regex NoncePattern = new Regex(@"\A[A-Za-z0-9_-]{1,32}\z");
        private static readonly Regex DottedQuad = new Regex(
            @"\A(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!\z)|\z)){4}\z");

        // Settings from a module's parameters; keys that are no setting, and unset ones, are left out.
        public static Settings Parse(IDictionary parameters)
        {
            Settings settings = new Settings();
            settings.ApiVersion = (string)parameters["api_version"];
            settings.Detect = (string)parameters["detect"] ?? settings.Detect;
            settings.ChassisAssetTag = (string)parameters["chassis_asset_tag"];
            settings.ConnectTimeout = Seconds(parameters, "connect_timeout", settings.ConnectTimeout);
            settings.ReadTimeout = Seconds(parameters, "read_timeout", settings.ReadTimeout);
            settings.Timeout = Seconds(parameters, "timeout", settings.Timeout);
            settings.UpdatingTimeout = Seconds(parameters, "updating_timeout", settings.UpdatingTimeout);
            settings.IncludeUserData = Switch(parameters, "include_user_data");
            settings.IncludePublicKeys = Switch(parameters, "include_public_keys");
            settings.LoadBalancer = Switch(parameters, "load_balancer");
            if (!IsVersion(settings.ApiVersion ?? "2025-04-07"))
            {
                throw new OptionException(
                    "api_version", Text.Quote(settings.ApiVersion) + " is not a date such as 2025-04-07");
            }
            string endpoint = (string)parameters["endpoint"];
            SetAddress(settings, string.IsNullOrEmpty(endpoint) ? Endpoint : endpoint);
            return settings;
        }

        // Whether it has the form of an API version.
        public static bool IsVersion(string text)
        {
            return Date.IsMatch(text);
        }

        // A nonce as IMDS takes it, at most 32 characters, fit for a query.
        public static string Nonce(string text)
        {
            if (!NoncePattern.IsMatch(text))
            {
                throw new OptionException(
                    "nonce", Text.Quote(text) + " is not 1 to 32 letters, digits, hyphens or underscores");
            }
            return text;
        }

        private static bool Switch(IDictionary parameters, string name)
        {
            return parameters[name] is bool && (bool)parameters[name];
        }

        private static double Seconds(IDictionary parameters, string name, double unset)
        {
            object value = parameters[name];
            if (value == null)
            {
                return unset;
            }
            double seconds;
            try
            {
                seconds = Text.ToDouble(value);
            }
            catch (SystemException)  // not of a number's form, type or size
            {
                seconds = 0;
            }
            if (!(seconds > 0 && seconds <= LongestTime))
            {
                throw new OptionException(
                    name, Text.Quote(value) + " is not a usable time; give more than 0 and at most 3600 seconds");
            }
            return seconds;
        }

        private static void SetAddress(Settings settings, string endpoint)
        {
            Match match = EndpointPattern.Match(endpoint);
            if (!match.Success)
            {
                throw new OptionException(
                    "endpoint", Text.Quote(endpoint) + " is not of the form http://ADDRESS or http://ADDRESS:PORT");
            }
            bool six = match.Groups[1].Success;
            string host = six ? match.Groups[1].Value : match.Groups[2].Value;
            host = host == "localhost" ? "127.0.0.1" : host;
            if (!(six ? IsIPv6(host) : DottedQuad.IsMatch(host)))
            {
                throw new OptionException(
                    "endpoint",
                    Text.Quote(host) + " is not an IP address; names are not looked up");
            }
            int port = match.Groups[3].Success ? int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture) : 80;
            if (port < 1 || port > 65535)
            {
                throw new OptionException("endpoint", port + " is not a port, give 1 to 65535");
            }
            Settings usual = new Settings();
            bool known = host == usual.Host && port == usual.Port;
            settings.Host = host;
            settings.Port = port;
            if (!settings.Forced && !settings.Loopback && !known)
            {
                throw new OptionException(
                    "endpoint",
                    endpoint + " is neither the metadata address nor loopback; if you mean it, set detect to force");
            }
        }

        private static bool IsIPv6(string host)
        {
            IPAddress address;
            return IPAddress.TryParse(host, out address) && address.AddressFamily == AddressFamily.InterNetworkV6;
        }
    }
}
