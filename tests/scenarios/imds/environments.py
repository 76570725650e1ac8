# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environment variables that try to lead a request elsewhere."""

from __future__ import annotations

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "http_proxy": {"http_proxy": "PROXY"},
    "HTTP_PROXY": {"HTTP_PROXY": "PROXY"},
    "ALL_PROXY": {"ALL_PROXY": "PROXY", "all_proxy": "PROXY"},
    "all of them, no_proxy for another": {
        "http_proxy": "PROXY",
        "HTTP_PROXY": "PROXY",
        "https_proxy": "PROXY",
        "ALL_PROXY": "PROXY",
        "no_proxy": "example.org",
        "NO_PROXY": "example.org",
    },
    "no_proxy that is empty": {"http_proxy": "PROXY", "no_proxy": ""},
    "no_proxy that is not understood": {"HTTP_PROXY": "PROXY", "no_proxy": "[::1/,*.*,,169.254.0.0/33"},
}
