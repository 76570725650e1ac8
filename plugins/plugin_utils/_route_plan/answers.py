# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module on the host answers, reduced to the keys that are known. Verdicts are never the host's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible_collections.imds.azure.plugins.module_utils._routes.primary import Primary
from ansible_collections.imds.azure.plugins.module_utils._routes.reply import ImdsReply, parse_reply

_MOST_LINES = 100
# What helps to find out why a module ended without an answer.
_CRASH_KEYS = ("exception", "module_stderr", "module_stdout", "rc")


class HostFailureError(Exception):
    """The module ended without an answer. ``result`` is what the task says about that."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(str(result.get("msg")))
        self.result = result


class Looked(NamedTuple):
    """The answer to ``collect``."""

    report: Mapping[str, Any]
    recovered: bool
    notes: tuple[str, ...]


class Proof(NamedTuple):
    """A reply, and what it proves, judged here."""

    reply: ImdsReply
    fault: str
    tries: int

    @property
    def verified(self) -> bool:
        """Whether IMDS serves the primary NIC."""
        return not self.fault

    def as_dict(self) -> dict[str, Any]:
        """Plain form for the task's result."""
        return {
            "verified": self.verified,
            "outcome": self.reply.outcome,
            "detail": self.fault or self.reply.detail,
            "local_address": self.reply.local_address,
            "tries": self.tries,
        }


class CarriedOut(NamedTuple):
    """The answer to ``apply``."""

    rolled_back: bool
    restored: bool
    error: str
    undo_errors: tuple[str, ...]
    notes: tuple[str, ...]
    proof: Optional[Proof]
    tables: dict[str, list[str]]
    report: Mapping[str, Any]


def require_report(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer, if it is one.

    :raises HostFailureError: where it is not
    """
    if not answer.get("failed") and not answer.get("unreachable") and isinstance(answer.get("report"), Mapping):
        return dict(answer)
    said = str(answer.get("msg") or "The host returned no report.")
    result: dict[str, Any] = {"changed": False, "failed": True, "msg": said}
    result.update({key: answer[key] for key in _CRASH_KEYS if key in answer})
    result.update({"unreachable": True} if answer.get("unreachable") is True else {})
    raise HostFailureError(result)


def read_looked(answer: Mapping[str, Any]) -> Looked:
    """What ``collect`` answers.

    :raises HostFailureError: where it can't be read
    """
    try:
        return Looked(answer["report"], answer.get("recovered") is True, _lines(answer.get("notes")))
    except TypeError as error:
        raise _unreadable("What the host answers", error) from error


def read_carried_out(answer: Mapping[str, Any], primary: Primary) -> CarriedOut:
    """What ``apply`` answers.

    :raises HostFailureError: where it can't be read
    """
    try:
        tables = answer.get("tables") or {}
        return CarriedOut(
            rolled_back=answer["rolled_back"] is True,
            restored=answer["restored"] is True,
            error=str(answer["error"] or ""),
            undo_errors=_lines(answer["undo_errors"]),
            notes=_lines(answer.get("notes")),
            proof=_proof(answer["proof"], primary),
            tables={name: list(_lines(tables.get(name))) for name in ("before", "tried", "after")},
            report=answer["report"],
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable("What the host answers after the steps", error) from error


def _unreadable(what: str, error: Exception) -> HostFailureError:
    return HostFailureError({"changed": False, "failed": True, "msg": f"{what} can't be read: {error!r}"})


def _proof(given: Any, primary: Primary) -> Optional[Proof]:
    """A failure is believed, a success only where the reply bears it out."""
    if given is None:
        return None
    reply = parse_reply(given.get("reply") or given)
    fault = reply.judge(primary.address, primary.mac)
    if given.get("verified") is not True:
        fault = str(given.get("detail") or fault or "no proof")[:1000]
    elif "reply" not in given and reply.outcome in ("ok", "busy") and reply.local_address in ("", primary.address):
        fault = ""  # a host that does not hand its reply over
    return Proof(reply, fault, int(given.get("tries") or 0))


def _lines(given: Any) -> tuple[str, ...]:
    """
    :raises TypeError: it is not a list
    """
    if not isinstance(given, (list, tuple, type(None))):
        raise TypeError(f"{type(given).__name__} instead of lines")
    return tuple(str(line)[:2000] for line in (given or ())[:_MOST_LINES])
