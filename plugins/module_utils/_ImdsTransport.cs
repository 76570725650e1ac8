// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// One HTTP GET over one TCP connection. Knows HTTP, but nothing about Azure. Twin of _imds/transport.py.
//
// A plain socket instead of HttpWebRequest: there is no proxy and no redirect to switch off, the local address of the
// answer is known, a refused connection differs from a forbidden one and silence from half an answer, and one deadline
// covers the whole exchange.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTransport
{
    // Host: an IP address. Times in seconds: to wait for the TCP connection, for the whole response after that, and for
    // both together if that is less than their sum. Source: local IP address to bind to, or null. InterfaceIndex: the
    // interface to send through as well, whatever the routes prefer, or 0; left out where the system can't do it. Body:
    // what to POST, or null for a GET.
    public sealed class Request
    {
        public string Host;
        public int Port;
        public string Target;
        public List<KeyValuePair<string, string>> Headers = new List<KeyValuePair<string, string>>();
        public double ConnectTimeout;
        public double ReadTimeout;
        public double Timeout;
        public string Source;
        public long InterfaceIndex;
        public byte[] Body;
    }

    // Headers: names in lower case, the last one of a name wins. LocalAddress: where the response was received. Peer:
    // IP:port at the other end, which is another than asked where the system redirects the connection.
    public sealed class Response
    {
        public int Status;
        public Dictionary<string, string> Headers = new Dictionary<string, string>();
        public byte[] Body;
        public string LocalAddress;
        public string Peer = "";

        // The header, or "".
        public string Header(string name)
        {
            string value;
            return Headers.TryGetValue(name, out value) ? value : "";
        }
    }

    // No complete HTTP response. Kind: no_route, route_prohibited, connect_timeout, read_timeout, refused, reset,
    // malformed or too_large. LocalAddress: of the connection, once there was one. Silent: the connection stood, and
    // not one byte came. Peer: IP:port at the other end, "" without a connection.
    public sealed class TransportException : Exception
    {
        public readonly string Kind;
        public readonly string LocalAddress;
        public readonly bool Silent;
        public readonly string Peer;

        public TransportException(
            string kind, string detail, string localAddress = null, bool silent = false, string peer = "")
            : base(detail)
        {
            Peer = peer;
            Kind = kind;
            LocalAddress = localAddress;
            Silent = silent;
        }
    }

    public static class Transport
    {
        public const int MaxHead = 64 * 1024;
        public const int MaxBody = 512 * 1024;

        // Seconds to wait for a refusal. Windows repeats a refused SYN twice and reports the refusal 1.5 to 2 s after
        // the first one, so that a shorter connect_timeout would mistake it for silence.
        private const double RefusalTime = 3.5;

        // IP_UNICAST_IF of ws2ipdef.h.
        private const int UnicastInterface = 31;

        // What the system says about a connection that fails; anything else means that there is no route.
        public static readonly Dictionary<SocketError, string> ConnectErrors = new Dictionary<SocketError, string>
        {
            { SocketError.ConnectionRefused, "refused" },
            { SocketError.ConnectionReset, "refused" },
            { SocketError.Shutdown, "refused" },
            { SocketError.TimedOut, "connect_timeout" },
            { SocketError.AccessDenied, "route_prohibited" },  // a firewall
            { SocketError.InvalidArgument, "route_prohibited" },  // a blackhole route
        };

        internal static readonly Encoding Latin1 = Encoding.GetEncoding("iso-8859-1");

        // Seconds on a clock that nobody sets.
        public static double Clock()
        {
            return Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        }

        // Throws TransportException for everything but a complete HTTP response.
        public static Response Exchange(Request request)
        {
            double end = Clock() + request.Timeout;
            using (Socket connection = Connect(request))
            {
                double limit = Math.Min(request.ReadTimeout, end - Clock());
                Reader reader = new Reader(connection, limit);
                try
                {
                    reader.Send(Written(request));
                    return ReadResponse(reader);
                }
                catch (TimeoutException)
                {
                    string seconds = Text.Number(Math.Max(limit, 0), 3);
                    throw reader.Error("read_timeout", "no complete answer within " + seconds + " s");
                }
                catch (SocketException error)
                {
                    throw reader.Error("reset", error.Message);
                }
            }
        }

        private static Socket Connect(Request request)
        {
            IPAddress address = IPAddress.Parse(request.Host);
            double timeout = Math.Min(request.ConnectTimeout, request.Timeout);
            Socket connection = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                if (request.InterfaceIndex > 0)
                {
                    UseInterface(connection, request.InterfaceIndex);
                }
                if (request.Source != null)
                {
                    connection.Bind(new IPEndPoint(IPAddress.Parse(request.Source), 0));
                }
                IAsyncResult pending = connection.BeginConnect(address, request.Port, null, null);
                bool inTime = pending.AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(timeout));
                double more = Math.Min(RefusalTime, request.Timeout) - timeout;
                bool ended = inTime || (more > 0 && pending.AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(more)));
                if (ended)
                {
                    connection.EndConnect(pending);
                }
                if (!inTime)
                {
                    connection.Close();
                    string seconds = Text.Number(timeout, 3);
                    throw new TransportException("connect_timeout", "no connection within " + seconds + " s");
                }
                return connection;
            }
            catch (SocketException error)
            {
                connection.Close();
                string kind;
                kind = ConnectErrors.TryGetValue(error.SocketErrorCode, out kind) ? kind : "no_route";
                throw new TransportException(kind, error.Message);
            }
        }

        private static void UseInterface(Socket connection, long index)
        {
            if (Environment.OSVersion.Platform != PlatformID.Win32NT)
            {
                return;  // elsewhere the option has another number
            }
            try
            {
                int inNetworkOrder = IPAddress.HostToNetworkOrder((int)index);
                connection.SetSocketOption(SocketOptionLevel.IP, (SocketOptionName)UnicastInterface, inNetworkOrder);
            }
            catch (SocketException)
            {
                // The address that the socket is bound to decides then.
            }
        }

        public static byte[] Written(Request request)
        {
            string host = request.Host.Contains(":") ? "[" + request.Host + "]" : request.Host;
            List<string> lines = new List<string>();
            lines.Add((request.Body == null ? "GET " : "POST ") + request.Target + " HTTP/1.1");
            lines.Add("Host: " + host + (request.Port == 80 ? "" : ":" + request.Port));
            lines.AddRange(request.Headers.Select(header => header.Key + ": " + header.Value));
            if (request.Body != null)
            {
                lines.Add("Content-Length: " + request.Body.Length);
            }
            lines.Add("Connection: close\r\n\r\n");
            byte[] head = Encoding.ASCII.GetBytes(string.Join("\r\n", lines));
            return request.Body == null ? head : head.Concat(request.Body).ToArray();
        }

        private static Response ReadResponse(Reader reader)
        {
            string text = Latin1.GetString(reader.Until("\r\n\r\n"));
            string[] head = text.Split(new[] { "\r\n" }, StringSplitOptions.None);
            string[] parts = head[0].Split(new[] { ' ' }, 3);
            bool http = parts.Length > 1 && parts[0].StartsWith("HTTP/1.", StringComparison.Ordinal);
            if (!http || parts[1].Length != 3 || !parts[1].All(Reader.IsDigit))
            {
                throw reader.Error("malformed", "the answer is not HTTP");
            }
            Response response = new Response
            {
                Status = int.Parse(parts[1]), LocalAddress = reader.LocalAddress, Peer = reader.Peer,
            };
            foreach (string line in head.Skip(1))
            {
                int colon = line.IndexOf(':');
                string name = (colon < 0 ? line : line.Substring(0, colon)).Trim().ToLowerInvariant();
                response.Headers[name] = colon < 0 ? "" : line.Substring(colon + 1).Trim();
            }
            bool empty = response.Status == 204 || response.Status == 304;
            response.Body = empty ? new byte[0] : reader.Body(response.Headers);
            return response;
        }
    }

    // Reads from a socket under one deadline, with size limits.
    internal sealed class Reader
    {
        private readonly Socket connection;
        private readonly double deadline;
        // What was received but not yet taken is buffer[start..end].
        private byte[] buffer = new byte[64 * 1024];
        private int start;
        private int end;
        private bool received;

        public readonly string LocalAddress;
        public readonly string Peer;

        public Reader(Socket connection, double timeout)
        {
            this.connection = connection;
            deadline = Transport.Clock() + timeout;
            LocalAddress = ((IPEndPoint)connection.LocalEndPoint).Address.ToString();
            Peer = PeerOf(connection);
        }

        private static string PeerOf(Socket connection)
        {
            try
            {
                IPEndPoint peer = (IPEndPoint)connection.RemoteEndPoint;
                return peer.Address + ":" + peer.Port;
            }
            catch (SocketException)  // it is gone by now
            {
                return "";
            }
        }

        private int Available
        {
            get { return end - start; }
        }

        public static bool IsDigit(char character)
        {
            return character >= '0' && character <= '9';
        }

        public TransportException Error(string kind, string detail)
        {
            return new TransportException(kind, detail, LocalAddress, !received, Peer);
        }

        // A socket's own timeouts are not a deadline, and on Windows they are half a second late.
        private void Await(SelectMode mode)
        {
            double remaining;
            do
            {
                remaining = deadline - Transport.Clock();
                if (remaining <= 0)
                {
                    throw new TimeoutException();
                }
            }
            while (!connection.Poll((int)(Math.Min(remaining, 1000) * 1e6), mode));
        }

        public void Send(byte[] data)
        {
            Await(SelectMode.SelectWrite);
            connection.Send(data);
        }

        private bool More()
        {
            Await(SelectMode.SelectRead);
            if (end == buffer.Length)
            {
                byte[] room = start > 0 ? buffer : new byte[buffer.Length * 2];
                Buffer.BlockCopy(buffer, start, room, 0, Available);
                end = Available;
                start = 0;
                buffer = room;
            }
            int count = connection.Receive(buffer, end, buffer.Length - end, SocketFlags.None);
            received = received || count > 0;
            end += count;
            return count > 0;
        }

        private void Limit(long size, int limit, string part = "the body of the answer")
        {
            if (size > limit)
            {
                throw Error("too_large", part + " is larger than " + limit / 1024 + " KiB");
            }
        }

        private byte[] Take(int size)
        {
            byte[] taken = new byte[size];
            Buffer.BlockCopy(buffer, start, taken, 0, size);
            start += size;
            return taken;
        }

        // All bytes before a mark, which is swallowed; part says in a message what they are.
        public byte[] Until(string mark, string part = "the head of the answer")
        {
            while (true)
            {
                int position = Find(mark);
                Limit(position < 0 ? Available : position, Transport.MaxHead, part);
                if (position >= 0)
                {
                    byte[] taken = Take(position);
                    start += mark.Length;
                    return taken;
                }
                if (!More())
                {
                    throw received
                        ? Error("malformed", "the connection closed in the middle of the answer's head")
                        : Error("reset", "the connection closed without an answer");
                }
            }
        }

        private int Find(string mark)
        {
            for (int at = start; at <= end - mark.Length; at++)
            {
                int same = 0;
                while (same < mark.Length && buffer[at + same] == mark[same])
                {
                    same++;
                }
                if (same == mark.Length)
                {
                    return at - start;
                }
            }
            return -1;
        }

        private byte[] Exactly(long size)
        {
            Limit(size, Transport.MaxBody);
            while (Available < size)
            {
                if (!More())
                {
                    throw Error("malformed", "the answer ends after " + Available + " of " + size + " bytes");
                }
            }
            return Take((int)size);
        }

        private byte[] Rest()
        {
            while (More())
            {
                Limit(Available, Transport.MaxBody);
            }
            return Take(Available);
        }

        private byte[] Chunks()
        {
            MemoryStream body = new MemoryStream();
            while (true)
            {
                string line = Transport.Latin1.GetString(Until("\r\n", "the head of a chunk"));
                long size = Number(line.Split(';')[0], "0123456789abcdef");
                if (size == 0)
                {
                    return body.ToArray();
                }
                Limit(body.Length + size, Transport.MaxBody);
                body.Write(Exactly(size), 0, (int)size);
                if (!Exactly(2).SequenceEqual(new byte[] { 13, 10 }))
                {
                    throw Error("malformed", "a chunk is longer than it says");
                }
            }
        }

        // A length, which consists of digits only.
        private long Number(string text, string digits)
        {
            text = text.Trim(' ', '\t').ToLowerInvariant();
            if (text.Length == 0 || text.Length > 18 || !text.All(character => digits.IndexOf(character) >= 0))
            {
                throw Error("malformed", "the answer states no valid length");
            }
            long number = 0;
            foreach (char character in text)
            {
                // Beyond the limit the exact number does not matter.
                number = number > Transport.MaxBody ? number : number * digits.Length + digits.IndexOf(character);
            }
            return number;
        }

        public byte[] Body(Dictionary<string, string> headers)
        {
            string value;
            if (headers.TryGetValue("transfer-encoding", out value) && value.ToLowerInvariant() == "chunked")
            {
                return Chunks();
            }
            return headers.TryGetValue("content-length", out value) ? Exactly(Number(value, "0123456789")) : Rest();
        }
    }
}
