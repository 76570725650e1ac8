# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client makes of each answer, and the waits before it asks again."""

from __future__ import annotations

IMDS = {"server": "IMDS/150.870.65.1854", "content-type": "application/json; charset=utf-8"}
IIS = {"server": "Microsoft-IIS/10.0", "content-type": "text/xml; charset=utf-8"}
NOBODY: dict[str, str] = {}
HTML = {"server": "squid/5.7", "content-type": "text/html"}
NO_HEADER = b'{ "error": "Bad request: . Required metadata header not specified" }'
NO_HEADER_IDENTITY = b'{"error":"invalid_request","error_description":"Required metadata header not specified"}'

VERSION = (
    b'{"error":"Bad request. api-version is invalid or was not specified in the request. For more information refer to '
    b'aka.ms/azureimds","newest-versions":["2020-10-01","2020-09-01","2020-07-15"]}'
)

OLD_VERSION = b'{ "error": "Not found. Invalid version requested" }'

# status, headers, body, path is a root -> outcome
ANSWERS = [
    # what IMDS says
    (200, IMDS, b'{"compute":{}}', True, "ok"),
    (200, NOBODY, b'{"compute":{}}', True, "ok"),
    (200, {"content-type": "text/plain; charset=utf-8"}, b"web-1", False, "ok"),
    (400, IMDS, VERSION, True, "bad_version"),
    (400, IMDS, VERSION, False, "bad_version"),
    (400, IMDS, OLD_VERSION, True, "bad_version"),
    (404, IMDS, OLD_VERSION, True, "bad_version"),
    (404, IMDS, OLD_VERSION, False, "bad_version"),
    (404, IMDS, b'{ "error": "Not found" }', False, "missing"),
    (404, IMDS, b'{ "error": "Not found" }', True, "missing_root"),
    (404, IMDS, b'{"error":"Not Found"}', False, "missing"),
    (
        404,
        IMDS,
        b"No load balancer metadata is found. Check if your virtual machine is using any nonbasic",
        False,
        "missing",
    ),
    (400, IMDS, b'{ "error": "Bad request" }', False, "rejected"),
    (400, IMDS, b"", False, "rejected"),
    (405, IMDS, b'Http method isn\'t allowed: Path = "/", Method = "GET"', False, "rejected"),
    (401, IMDS, b"", True, "forbidden"),
    (403, IMDS, b"", True, "forbidden"),
    (421, NOBODY, b"", True, "forbidden"),
    (403, NOBODY, b"<?xml version='1.0'?><Error/>", True, "forbidden"),
    (408, IMDS, b"", True, "server_error"),
    (410, IMDS, b"", True, "updating"),
    (410, IMDS, b'{"error":"Gone"}', False, "updating"),
    (429, IMDS, b"Too many requests", True, "throttled"),
    (429, NOBODY, b"Temporarily throttled, too many requests", True, "throttled"),
    (500, IMDS, b"", True, "server_error"),
    (502, NOBODY, b"", True, "server_error"),
    (503, IMDS, b"Internal service unavailable. Retry later", False, "server_error"),
    (504, IMDS, b"", True, "server_error"),
    (599, IMDS, b"", True, "server_error"),
    (418, IMDS, b"", True, "rejected"),
    # its front end has pages of its own
    (404, {**IIS, "content-type": "text/html"}, b"<!DOCTYPE html><html>404", True, "missing_root"),
    (400, IIS, b"<?xml version='1.0'?><Error/>", True, "rejected"),
    (503, {**IIS, "content-type": "text/html"}, b"<html>Service Unavailable</html>", True, "server_error"),
    # what it never says
    (400, IMDS, NO_HEADER, True, "intercepted"),
    (400, IMDS, NO_HEADER_IDENTITY, True, "intercepted"),
    (200, HTML, b"<html>Log in</html>", True, "intercepted"),
    (200, NOBODY, b"  \r\n<!DOCTYPE HTML><title>Log in</title>", True, "intercepted"),
    (200, {"content-type": "Text/HTML"}, b"", True, "intercepted"),
    (200, {**IMDS, "via": "1.1 proxy"}, b'{"compute":{}}', True, "intercepted"),
    (403, HTML, b"<html>Access denied</html>", True, "intercepted"),
    (404, {"server": "nginx", "content-type": "text/html"}, b"<html>", False, "intercepted"),
    (407, NOBODY, b"", True, "intercepted"),
    (429, HTML, b"<html>", True, "intercepted"),
    (502, HTML, b"<html>Bad gateway</html>", True, "intercepted"),
    (511, NOBODY, b"", True, "intercepted"),
    (301, {**IMDS, "location": "http://example.org/"}, b"", True, "intercepted"),
    (302, {"location": "/login"}, b"", True, "intercepted"),
    (307, {"location": "/login"}, b"", True, "intercepted"),
    (304, IMDS, b"", True, "intercepted"),
    (204, IMDS, b"", True, "intercepted"),
    (100, NOBODY, b"", True, "intercepted"),
]

# outcome -> reason, and the seconds before each further try
WAITS: dict[str, tuple[str, list[float]]] = {
    "ok": ("ok", []),
    "bad_version": ("bad_version", []),
    "rejected": ("rejected", []),
    "forbidden": ("forbidden", []),
    "missing": ("not_found", []),
    "missing_root": ("not_found", [1, 2, 4]),
    "updating": ("updating", [10] * 7),
    "throttled": ("throttled", [1, 2, 4, 8]),
    "server_error": ("server_error", [1, 2, 4]),
    "intercepted": ("intercepted", [1]),
    "malformed": ("malformed", [1]),
    "too_large": ("too_large", []),
    "refused": ("refused", [1, 2]),
    "no_route": ("no_route", [1, 2]),
    "route_prohibited": ("route_prohibited", [1, 2]),
    "connect_timeout": ("connect_timeout", [1, 2]),
    "read_timeout": ("read_timeout", [1, 2, 4]),
    "reset": ("refused", [1, 2, 4]),
}
