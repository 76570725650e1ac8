# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's module hands back, reduced to what may go into a result. Pure.

A hostile host writes this report. It may be of any size, depth and type, so that everything is copied by name, type and
length, and the rest is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .evidence import MAX_BASE64
from .guard import UnreadableError, untrusted
from .reasons import printable

MAX_ATTEMPTS = 32
MAX_WARNINGS = 8
MAX_WORD = 200  # characters
MAX_TEXT = 4000
MAX_OUTPUT = 20000
MAX_NUMBER = 1_000_000

_API_VERSION = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# The attempts of the module, field by field.
_ATTEMPT: dict[str, tuple[type, ...]] = {
    "path": (str,),
    "api_version": (str,),
    "outcome": (str,),
    "status": (int,),
    "detail": (str,),
    "wait": (int, float),
}
# What Ansible says about a module that did not run, and how long it may be.
_ANSIBLE: dict[str, int] = {"msg": MAX_TEXT, "module_stdout": MAX_OUTPUT, "module_stderr": MAX_OUTPUT}


class HostReport(NamedTuple):
    """A module's result.

    ``evidence`` is as it came, for the verifier only; ``answer`` is the same if it has the form of IMDS' answer.
    ``failure`` is a code of IMDS, ``""`` for any other failure and ``None`` for none. ``message`` goes with a code,
    ``ansible`` is what Ansible says about a module that did not run.
    """

    evidence: Any = None
    answer: dict[str, str] | None = None
    api_version: str | None = None
    attempts: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    failure: str | None = None
    message: str = ""
    ansible: Mapping[str, Any] = MappingProxyType({})


def ask(execute: Callable[[], Any], codes: Iterable[str], *passed: type[Exception]) -> HostReport:
    """Run the module and read its report: the only place where the action plugin touches what a host says.

    :param execute: runs the module.
    :param codes: the reasons that IMDS may have not to answer.
    :param passed: what ``execute`` raises by itself; anything else is the host's doing and becomes an empty report.
    """
    try:
        with untrusted(*passed):
            return _report(execute(), frozenset(codes))
    except UnreadableError as error:
        return HostReport(message=clean(str(error), MAX_WORD))


def clean(value: Any, limit: int) -> str:
    """Text that can be shown: no terminal escapes, no halves of surrogate pairs, and not endless."""
    if not isinstance(value, str):
        return ""
    kept = (c if c.isprintable() or c in "\n\t" else printable(c) for c in value[:limit])
    return "".join(kept)


def _report(result: Any, codes: frozenset[str]) -> HostReport:
    result = result if isinstance(result, Mapping) else {}
    report = HostReport(
        api_version=_api_version(result.get("api_version")),
        attempts=_attempts(result.get("attempts")),
        warnings=_warnings(result.get("warnings")),
    )
    if result.get("failed") or result.get("unreachable"):
        code = result.get("reason")
        if isinstance(code, str) and code in codes:
            return report._replace(failure=code, message=clean(result.get("msg"), MAX_TEXT))
        return report._replace(failure="", ansible=_ansible_words(result))
    evidence = result.get("evidence")
    return report._replace(evidence=evidence, answer=_answer(evidence))


def _answer(evidence: Any) -> dict[str, str] | None:
    """Encoding and signature, if it is text of a length that can be verified."""
    if not isinstance(evidence, Mapping):
        return None
    encoding, signature = evidence.get("encoding"), evidence.get("signature")
    if not isinstance(encoding, str) or not isinstance(signature, str) or len(signature) > 2 * MAX_BASE64:
        return None
    if not signature.isascii() or clean(signature, len(signature)) != signature:
        return None
    return {"encoding": clean(encoding, MAX_WORD), "signature": signature}


def _api_version(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and _API_VERSION.fullmatch(value) else None


def _attempts(entries: Any) -> tuple[dict[str, Any], ...]:
    """Of each attempt, the known fields; one of another type is null."""
    listed = entries[:MAX_ATTEMPTS] if isinstance(entries, (list, tuple)) else ()
    return tuple(
        {name: _field(entry[name], types) for name, types in _ATTEMPT.items() if name in entry}
        for entry in listed
        if isinstance(entry, Mapping)
    )


def _warnings(entries: Any) -> tuple[str, ...]:
    """The module's warnings, where Ansible leaves them in the result (before 2.19) instead of showing them."""
    listed = entries[:MAX_WARNINGS] if isinstance(entries, (list, tuple)) else ()
    return tuple(clean(entry, MAX_WORD) for entry in listed if clean(entry, 1))


def _field(value: Any, types: tuple[type, ...]) -> Any:
    if isinstance(value, bool) or not isinstance(value, types):
        return None
    if isinstance(value, str):
        return clean(value, MAX_WORD)
    if isinstance(value, (int, float)) and not -MAX_NUMBER < value < MAX_NUMBER:  # infinite, or endless
        return None
    return value


def _ansible_words(result: Mapping[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = {
        name: clean(result[name], limit) for name, limit in _ANSIBLE.items() if clean(result.get(name), 1)
    }
    if result.get("unreachable"):
        words["unreachable"] = True
    code = _field(result.get("rc"), (int,))
    if code is not None:
        words["rc"] = code
    # Text from a host; an object where Ansible itself has seen an error.
    error = result.get("exception")
    if isinstance(error, str):
        words["exception"] = clean(error, MAX_OUTPUT)
    elif type(error).__module__.startswith("ansible."):
        words["exception"] = error
    return words
