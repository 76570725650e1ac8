// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// One HTTPS GET, through the proxy that the environment or Windows names if one does. Redirects are not followed. Twin
// of _identity/https.py.
//
// HttpWebRequest, because this is not IMDS: names, proxies and TLS are just what a plain socket lacks.

//NoWarn -Name SYSLIB0014 -CLR Core
//NoWarn -Name SYSLIB0057 -CLR Core

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using System.Threading;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVault;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsHttps
{
    // What is trusted: the CA certificates of the system, and those in a file.
    public sealed class Trust
    {
        private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

        private static readonly Regex Pem = new Regex(
            "-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\\s]+)-----END CERTIFICATE-----");

        private readonly X509Certificate2Collection own = new X509Certificate2Collection();

        // Throws OptionException: the file holds none.
        public Trust(string caPath)
        {
            if (string.IsNullOrEmpty(caPath))
            {
                return;
            }
            string problem = "there is none";
            try
            {
                foreach (Match match in Pem.Matches(File.ReadAllText(caPath)))
                {
                    own.Add(new X509Certificate2(Convert.FromBase64String(match.Groups[1].Value)));
                }
            }
            catch (SystemException error)  // it can't be read, or is not Base64, or no certificate
            {
                own.Clear();
                problem = error.Message.TrimEnd('.');
            }
            if (own.Count == 0)
            {
                throw new OptionException(
                    "ca_path", caPath + " holds no CA certificate in PEM format: " + problem);
            }
        }

        // Why a certificate is not trusted; null if it is. The file makes up for an unknown CA and for nothing else,
        // such as another name.
        public string Problem(X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
        {
            bool trusted = errors == SslPolicyErrors.None
                || (errors == SslPolicyErrors.RemoteCertificateChainErrors && own.Count > 0
                    && LeadsToOwn(new X509Certificate2(certificate), chain));
            if (trusted)
            {
                return null;
            }
            IEnumerable<string> statuses = chain == null
                ? new string[0]
                : chain.ChainStatus.Select(status => status.Status.ToString());
            return string.Join(", ", new[] { errors.ToString() }.Concat(statuses).Distinct());
        }

        // Whether the chain is right but for its end, and that is one of the file's.
        private bool LeadsToOwn(X509Certificate2 certificate, X509Chain sent)
        {
            const X509ChainStatusFlags Expected = X509ChainStatusFlags.UntrustedRoot
                | X509ChainStatusFlags.PartialChain;
            X509Chain chain = new X509Chain();
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.UrlRetrievalTimeout = TimeSpan.FromSeconds(5);
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
            chain.ChainPolicy.ExtraStore.AddRange(own);
            foreach (X509ChainElement element in sent.ChainElements)
            {
                chain.ChainPolicy.ExtraStore.Add(element.Certificate);
            }
            foreach (X509Certificate2 extra in sent.ChainPolicy.ExtraStore)
            {
                chain.ChainPolicy.ExtraStore.Add(extra);
            }
            if (!chain.Build(certificate) || chain.ChainStatus.Any(status => (status.Status & ~Expected) != 0))
            {
                return false;
            }
            byte[] last = chain.ChainElements[chain.ChainElements.Count - 1].Certificate.RawData;
            return own.Cast<X509Certificate2>().Any(anchor => anchor.RawData.SequenceEqual(last));
        }
    }

    // One proxy for whatever is asked. WebProxy leaves out what is on this machine.
    public sealed class NamedProxy : IWebProxy
    {
        public readonly Uri Address;

        public NamedProxy(Uri address)
        {
            Address = address;
        }

        public ICredentials Credentials { get; set; }

        public Uri GetProxy(Uri destination)
        {
            return Address;
        }

        public bool IsBypassed(Uri host)
        {
            return false;
        }
    }

    public sealed class Https
    {
        // Key Vault's limit for a secret is 25 KiB.
        private const int MaxBody = 512 * 1024;

        private static readonly SocketError[] Unresolved =
        {
            SocketError.HostNotFound, SocketError.NoData, SocketError.TryAgain, SocketError.NoRecovery,
        };

        private readonly Trust trust;
        private readonly Func<string, string> environment;

        // environment: variable -> value.
        public Https(Trust trust, Func<string, string> environment)
        {
            this.trust = trust;
            this.environment = environment;
        }

        // The answer to a GET. Done in a thread of its own, because nothing else bounds the time that resolving a name,
        // the handshake and a slow answer take together. timeout: seconds for everything. Throws VaultException for
        // everything but a complete answer.
        public Answer Get(Location place, string target, Dictionary<string, string> headers, double timeout)
        {
            HttpWebRequest request = Request(place, target, headers, timeout);
            string untrusted = null;
            bool secured = false;
            request.ServerCertificateValidationCallback = (sender, certificate, chain, errors) =>
            {
                untrusted = trust.Problem(certificate, chain, errors);
                return secured = untrusted == null;
            };
            Answer answer = null;
            Exception failure = null;
            Thread work = new Thread(() =>
            {
                try
                {
                    answer = Exchange(request);
                }
                catch (Exception error)  // whatever it is, it belongs to the one who waits
                {
                    failure = error;
                }
            });
            work.IsBackground = true;
            work.Start();
            bool ended = work.Join(TimeSpan.FromSeconds(timeout));
            if (ended && answer != null)
            {
                if (!secured)
                {
                    throw new VaultException(
                        "vault_unreachable", place.Url + ": a proxy answered HTTP " + answer.Status);
                }
                return answer;
            }
            if (!ended)
            {
                request.Abort();
            }
            throw Failure(place, ended ? failure : null, untrusted);
        }

        // The proxy for HTTPS to a host; null for none. Throws VaultException: its address can't be used.
        public IWebProxy ProxyFor(string host)
        {
            string address = Variable("https_proxy") ?? Variable("all_proxy");
            if (address == null)
            {
                bool windows = Environment.OSVersion.Platform == PlatformID.Win32NT;
                return windows ? WebRequest.GetSystemWebProxy() : null;
            }
            if (IsBypassed(host, Variable("no_proxy") ?? ""))
            {
                return null;
            }
            Uri uri;
            string whole = address.Contains("://") ? address : "http://" + address;
            bool valid = Uri.TryCreate(whole, UriKind.Absolute, out uri);
            if (!valid || uri.Scheme != "http" || uri.Host.Length == 0)
            {
                throw new VaultException(
                    "vault_unreachable", "the proxy in https_proxy is not of the form http://HOST:PORT");
            }
            NamedProxy proxy = new NamedProxy(new Uri("http://" + uri.Host + ":" + uri.Port));
            if (uri.UserInfo.Length > 0)
            {
                string[] pair = uri.UserInfo.Split(new[] { ':' }, 2);
                string password = pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "";
                proxy.Credentials = new NetworkCredential(Uri.UnescapeDataString(pair[0]), password);
            }
            return proxy;
        }

        private string Variable(string name)
        {
            string value = environment(name);
            value = string.IsNullOrEmpty(value) ? environment(name.ToUpperInvariant()) : value;
            return string.IsNullOrEmpty(value) ? null : value;
        }

        private static bool IsBypassed(string host, string exceptions)
        {
            IEnumerable<string> names = exceptions.Split(',').Select(name => name.Trim().TrimStart('.'));
            return exceptions == "*" || names.Any(name => name.Length > 0
                && ("." + host).EndsWith("." + name, StringComparison.OrdinalIgnoreCase));
        }

        private HttpWebRequest Request(
            Location place, string target, Dictionary<string, string> headers, double timeout)
        {
            // What the system has chosen is at least that good; what a program would get from an old default is not.
            if (ServicePointManager.SecurityProtocol != 0)
            {
                ServicePointManager.SecurityProtocol = SecurityProtocolType.Tls12;
            }
            HttpWebRequest request = (HttpWebRequest)WebRequest.Create(place.Url + target);
            request.Proxy = ProxyFor(place.Host);
            request.AllowAutoRedirect = false;
            request.KeepAlive = false;
            request.Timeout = request.ReadWriteTimeout = (int)Math.Ceiling(timeout * 1000);
            foreach (KeyValuePair<string, string> header in headers)
            {
                switch (header.Key)
                {
                    case "Accept":
                        request.Accept = header.Value;
                        break;
                    case "User-Agent":
                        request.UserAgent = header.Value;
                        break;
                    default:
                        request.Headers[header.Key] = header.Value;
                        break;
                }
            }
            return request;
        }

        private static Answer Exchange(HttpWebRequest request)
        {
            HttpWebResponse response;
            try
            {
                response = (HttpWebResponse)request.GetResponse();
            }
            catch (WebException error)
            {
                response = error.Response as HttpWebResponse;  // an answer all the same, of 400 or more
                if (response == null)
                {
                    throw;
                }
            }
            using (response)
            {
                byte[] body = ReadBody(response);
                Dictionary<string, string> headers = response.Headers.AllKeys.ToDictionary(
                    name => name.ToLowerInvariant(), name => response.Headers[name]);
                return new Answer((int)response.StatusCode, headers, body);
            }
        }

        private static byte[] ReadBody(HttpWebResponse response)
        {
            MemoryStream body = new MemoryStream();
            byte[] buffer = new byte[64 * 1024];
            using (Stream stream = response.GetResponseStream())
            {
                int count;
                while ((count = Some(stream, buffer)) > 0)
                {
                    body.Write(buffer, 0, count);
                    if (body.Length > MaxBody)
                    {
                        throw new VaultException(
                            "vault_intercepted", "the answer is larger than " + MaxBody / 1024 + " KiB");
                    }
                }
            }
            if (body.Length < response.ContentLength)
            {
                throw TooEarly();
            }
            return body.ToArray();
        }

        private static int Some(Stream stream, byte[] buffer)
        {
            try
            {
                return stream.Read(buffer, 0, buffer.Length);
            }
            catch (IOException)
            {
                throw TooEarly();
            }
        }

        private static VaultException TooEarly()
        {
            return new VaultException("vault_unreachable", "the answer ends too early");
        }

        // error: null where time is up. untrusted: what is wrong with the certificate, or null.
        private static VaultException Failure(Location place, Exception error, string untrusted)
        {
            if (error is VaultException)
            {
                return (VaultException)error;
            }
            if (untrusted != null)
            {
                return new VaultException("vault_untrusted", place.Url + ": " + untrusted);
            }
            WebException web = error as WebException;
            WebExceptionStatus status = web == null ? WebExceptionStatus.UnknownError : web.Status;
            if (error == null || status == WebExceptionStatus.Timeout || status == WebExceptionStatus.RequestCanceled)
            {
                return new VaultException("vault_unreachable", place.Url + ": no complete answer in time");
            }
            SocketException socket = null;
            for (Exception cause = error; cause != null && socket == null; cause = cause.InnerException)
            {
                socket = cause as SocketException;
            }
            bool unresolved = status == WebExceptionStatus.NameResolutionFailure
                || status == WebExceptionStatus.ProxyNameResolutionFailure
                || (socket != null && Unresolved.Contains(socket.SocketErrorCode));
            // The text of other exceptions may quote what was sent or received.
            string told = socket == null ? status.ToString() : socket.Message.TrimEnd('.');
            if (unresolved)
            {
                return new VaultException("vault_not_found", place.Host + " or the proxy: " + told);
            }
            bool garbled = status == WebExceptionStatus.ServerProtocolViolation
                || status == WebExceptionStatus.MessageLengthLimitExceeded
                || (web == null && socket == null);
            return new VaultException(
                garbled ? "vault_intercepted" : "vault_unreachable",
                place.Url + ": " + (web == null && socket == null ? error.GetType().Name : told));
        }
    }
}
