// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fetches a token from IMDS, or from the agent of an Azure Arc machine, under one deadline; or takes the one in a file
// that is still good. Twin of _identity/fetch.py and _identity/obtain.py.
//
// Nothing goes through a proxy, and no exception and no attempt quotes a token.

using System;
using System.Collections.Generic;
using ansible_collections.imds.azure.plugins.module_utils._ImdsArc;
using ansible_collections.imds.azure.plugins.module_utils._ImdsClient;
using ansible_collections.imds.azure.plugins.module_utils._ImdsGuest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsOptions;
using ansible_collections.imds.azure.plugins.module_utils._ImdsPlatform;
using ansible_collections.imds.azure.plugins.module_utils._ImdsReasons;
using ansible_collections.imds.azure.plugins.module_utils._ImdsResources;
using ansible_collections.imds.azure.plugins.module_utils._ImdsText;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenErrors;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokenRequest;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTokens;
using ansible_collections.imds.azure.plugins.module_utils._ImdsTransport;
using ansible_collections.imds.azure.plugins.module_utils._ImdsVersions;

namespace ansible_collections.imds.azure.plugins.module_utils._ImdsTokenClient
{
    using Map = Dictionary<string, object>;

    // One operation. The deadline starts when the client is created. OnArc: whether the agent of an Azure Arc machine
    // is asked instead of IMDS.
    public sealed class TokenClient
    {
        private static readonly ImdsPath TokenPath = new ImdsPath(
            "identity/oauth2/token", TokenRequest.ApiVersion, true);
        private static readonly ImdsPath CloudPath = new ImdsPath(
            "instance/compute/azEnvironment", ImdsPath.Instance.Since, false, true);

        private readonly TokenRequest request;
        private readonly World world;
        private readonly Client client;
        private readonly string version;

        public readonly bool OnArc;

        // settings: become the client's own. Throws ImdsException: not_azure or unknown_platform, where nobody is
        // asked; OptionException: an identity was named, and an Arc machine has only one.
        public TokenClient(TokenRequest request, Settings settings, World world)
        {
            this.request = request;
            this.world = world;
            Settings agent = Agent(settings);
            OnArc = agent != null;
            if (OnArc && request.Selector != null)
            {
                throw new OptionException(
                    request.Selector.Kind,
                    "an Azure Arc machine has only its system-assigned identity; leave the option out");
            }
            version = settings.ApiVersion ?? TokenRequest.ApiVersion;
            // The version is for tokens only: an older one would not know the cloud.
            settings.ApiVersion = null;
            if (OnArc)
            {
                version = settings.ApiVersion = Arc.ApiVersion;
                settings.Host = agent.Host;
                settings.Port = agent.Port;
            }
            client = new Client(settings, world);
        }

        public List<object> Attempts
        {
            get { return client.Attempts; }
        }

        // Seconds until the deadline.
        public double Remaining
        {
            get { return client.Remaining; }
        }

        public List<string> LongWaits()
        {
            return client.LongWaits();
        }

        // What the token is for. A name is translated for the machine's cloud, which takes a request. Throws
        // ImdsException: the cloud can't be read; OptionException: the resource has no name there.
        public string Resource()
        {
            string name = request.Resource;
            return Resources.Names.ContainsKey(name) ? Resources.Uri(name, Cloud()) : name;
        }

        // The machine's cloud, azEnvironment of the instance document; empty where that is no text. Throws
        // ImdsException: it can't be read.
        public string Cloud()
        {
            return (client.Fetch(CloudPath).Content as string ?? "").Trim();
        }

        // A token for a resource, of the identity that the request names. bypassCache: have a fresh one, whatever the
        // request says. Throws ImdsException.
        public Token Get(string resource, bool bypassCache = false)
        {
            string query = TokenRequest.Query(resource, request.Selector, bypassCache || request.BypassCache);
            bool named = request.Selector != null;
            TokenPolicy policy = OnArc
                ? new ArcPolicy(named, request.IdentityWait)
                : new TokenPolicy(named, request.IdentityWait);
            Func<Response, object> read = response =>
            {
                Challenge asked = OnArc ? Challenge.In(response) : null;
                return asked ?? Read(response, resource);
            };
            object content = client.Ask(TokenPath, version, read, policy, query: query);
            Challenge challenge = content as Challenge;
            if (challenge != null)
            {
                content = client.Ask(
                    TokenPath, version, read, policy, query: query, headers: Arc.Authorization(challenge, world));
            }
            if (!(content is Token))
            {
                throw new ImdsException("forbidden", "the agent of this Azure Arc machine does not accept its own key");
            }
            return (Token)content;
        }

        private object Read(Response response, string resource)
        {
            try
            {
                return Tokens.Read((Map)Client.ReadObject(response), resource, world.Now());
            }
            catch (TokenException error)
            {
                throw new UnusableException("malformed", error.Message);
            }
        }

        // The address of the Arc agent, where that is to be asked; null for IMDS.
        private Settings Agent(Settings settings)
        {
            if (request.Arc == "always")
            {
                Settings always = Arc.Address(world);
                if (always == null)
                {
                    throw new ImdsException("not_azure", "no agent of Azure Arc (azcmagent) is installed here");
                }
                return always;
            }
            Detection detection = Platform.Detect(settings.ChassisAssetTag, world.Firmware);
            if (detection.Azure == true || settings.Forced)
            {
                return null;
            }
            Settings found = request.Arc == "auto" ? Arc.Address(world) : null;
            if (found == null)
            {
                ImdsException miss = Platform.Miss(detection);
                string host = Arc.HostOf(world);
                throw host == null ? miss : new ImdsException(
                    miss.Reason.Code,
                    miss.Detail + "; the environment is that of " + host + ", which is not supported");
            }
            return found;
        }
    }

    // What a token has to be. Minimum: seconds that it has to live; null for half of its life.
    public sealed class Wanted
    {
        private readonly TokenRequest request;
        private readonly string resource;
        private readonly long? minimum;

        public Wanted(TokenRequest request, string resource, long? minimum)
        {
            this.request = request;
            this.resource = resource;
            this.minimum = minimum;
        }

        // The stored token if it will do, else one from IMDS. Without the name of an identity, IMDS is asked in any
        // case, because only its answer tells whose turn it is. stored: the one in the file, or null. hide: is called
        // with each token before anything else is done with it. notes: get what to tell the user. Throws ImdsException.
        public Token Obtain(TokenClient client, Token stored, Action<string> hide, Func<double> now, List<object> notes)
        {
            if (stored != null)
            {
                hide(stored.Value);
            }
            bool willDo = stored != null && IsMetBy(stored, now());
            if (willDo && request.Selector != null && stored.IsOf(request.Selector))
            {
                return stored;
            }
            Token token = client.Get(resource);
            hide(token.Value);
            if (willDo && request.Selector == null && stored.IsLike(token))
            {
                return stored;
            }
            bool needed = minimum != null && minimum > 0;
            if (needed && !token.LivesLongEnough(minimum, now()) && !request.BypassCache)
            {
                token = client.Get(resource, true);
                hide(token.Value);
            }
            double time = now();
            if (needed && !token.LivesLongEnough(minimum, time))
            {
                notes.Add(
                    "Even a fresh token lives for " + token.Lives(time) + " s only, less than minimum_validity, which "
                    + "is " + minimum + " s.");
            }
            return token;
        }

        // The option minimum_validity: seconds, or null for auto. Throws OptionException.
        public static long? MinimumValidity(string text)
        {
            if (text == "auto")
            {
                return null;
            }
            long? seconds = Tokens.Moment(text);
            if (seconds == null || seconds > 7 * 86400)
            {
                throw new OptionException(
                    "minimum_validity",
                    Text.Quote(text) + " is neither auto nor a number of seconds up to 604800");
            }
            return seconds;
        }

        // Whether a stored token will do, whosever it is.
        private bool IsMetBy(Token stored, double now)
        {
            return !request.BypassCache && stored.Resource == resource && stored.LivesLongEnough(minimum, now);
        }
    }
}
