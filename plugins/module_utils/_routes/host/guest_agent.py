# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guest proxy agent (Metadata Security Protocol) says about itself, in its status file."""

from __future__ import annotations

import json
from typing import Any, Optional

from .host import Host

_PATH = "/var/log/azure-proxy-agent/status.json"
_MOST = 5


def agent_status(host: Host) -> Optional[dict[str, Any]]:
    """``state``, ``rule_id`` and ``refused`` of `common_report`; ``None`` where there is no readable status."""
    try:
        status = json.loads(host.read_text(_PATH) or "")["proxyAgentStatus"]
        states = status["keyLatchStatus"]["states"]
        refused = status.get("failedAuthenticateSummary") or []
        return {
            "state": str(states.get("secureChannelState") or ""),
            "rule_id": str(states.get("imdsRuleId") or ""),
            "refused": [_described(one) for one in refused[-_MOST:]],
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _described(one: dict[str, Any]) -> str:
    process = str(one.get("processFullPath") or one.get("processCmdLine") or "unknown process")[:200]
    return f"{one.get('userName') or 'unknown user'}, {process}: {one.get('responseStatus')} ({one.get('count')} times)"
