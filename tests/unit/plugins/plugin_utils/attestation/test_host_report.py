# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hostile host can put into a result: a reason code, and nothing else."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import host_report
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.host_report import HostReport, ask
from hypothesis import given
from hypothesis import strategies as st

CODES = ("not_azure", "refused")
ANSWER = {"encoding": "pkcs7", "signature": "QUJD"}


def report_of(result: Any) -> HostReport:
    found = ask(lambda: result, CODES)
    json.dumps(found._asdict() | {"evidence": None, "ansible": dict(found.ansible)}, allow_nan=False).encode("utf-8")
    return found


def test_a_plain_report() -> None:
    attempt = {"path": "p", "api_version": "2025-04-07", "outcome": "ok", "status": 200, "detail": "", "wait": 0.5}
    attempts = [attempt, {**attempt, "wait": None}]
    found = report_of({"evidence": ANSWER, "api_version": "2025-04-07", "attempts": attempts})
    assert found.evidence == found.answer == ANSWER
    assert list(found.attempts) == attempts
    assert (found.api_version, found.failure) == ("2025-04-07", None)


@pytest.mark.parametrize("attempts", [5, None, "text", {"a": 1}, [5, None, "x", [], [[]]], (1, 2), True, 1.5])
def test_attempts_of_a_wrong_type(attempts: Any) -> None:
    assert report_of({"evidence": ANSWER, "attempts": attempts}).attempts == ()


@pytest.mark.parametrize(
    "value", [[], {}, {"a": [1]}, True, float("nan"), float("inf"), 10**400, -(10**9), b"bytes", object], ids=repr
)
def test_fields_of_a_wrong_type_are_null(value: Any) -> None:
    names = ("path", "api_version", "outcome", "status", "detail", "wait")
    assert report_of({"attempts": [dict.fromkeys(names, value)]}).attempts == (dict.fromkeys(names),)
    assert report_of({"api_version": value}).api_version is None


def test_what_is_not_known_is_left_out() -> None:
    found = report_of({"attempts": [{"path": "p", "more": 1, 5: 6, (1, 2): 3}], "ansible_facts": {"a": 1}, 7: 8})
    assert found.attempts == ({"path": "p"},)


def test_sizes_are_bounded() -> None:
    found = report_of({"attempts": [{"detail": "x" * 100000}] * 100000})
    assert len(found.attempts) == host_report.MAX_ATTEMPTS
    assert {len(attempt["detail"]) for attempt in found.attempts} == {host_report.MAX_WORD}
    failure = report_of({"failed": True, "msg": "x" * 10**7, "module_stdout": "y" * 10**7, "rc": 1})
    assert [len(failure.ansible[name]) for name in ("msg", "module_stdout")] == [
        host_report.MAX_TEXT,
        host_report.MAX_OUTPUT,
    ]


def test_text_is_harmless() -> None:
    found = report_of({"failed": True, "msg": "one\ntwo \x1b[2J\x07 \ud800 \u202e", "reason": "refused"})
    assert found.message == "one\ntwo \\x1b[2J\\x07 \\ud800 \\u202e"


@pytest.mark.parametrize("result", [None, 5, [], "text", {}, {"evidence": None}, True])
def test_no_report_at_all(result: Any) -> None:
    assert report_of(result) == HostReport()


@pytest.mark.parametrize("reason", ["ok", "", 5, None, ["refused"], {"refused": 1}, "made up"])
def test_only_codes_of_imds_are_reasons(reason: Any) -> None:
    found = report_of({"failed": True, "reason": reason, "msg": "m"})
    assert (found.failure, found.message, dict(found.ansible)) == ("", "", {"msg": "m"})


def test_words_of_ansible() -> None:
    result = {"unreachable": 1, "rc": 5, "msg": ["m"], "module_stderr": "e", "exception": {"a": 1}, "changed": True}
    assert dict(report_of(result).ansible) == {"unreachable": True, "rc": 5, "module_stderr": "e"}
    assert dict(report_of({"failed": "yes", "exception": "trace", "rc": True}).ansible) == {"exception": "trace"}


@pytest.mark.parametrize(
    "evidence",
    [
        "QUJD",
        [],
        {"encoding": "pkcs7"},
        {"encoding": 5, "signature": "QUJD"},
        {"encoding": "pkcs7", "signature": ["QUJD"]},
        {"encoding": "pkcs7", "signature": "A" * 10**6},
        {"encoding": "pkcs7", "signature": "\x1b[2J"},
        {"encoding": "pkcs7", "signature": "\ud800"},
    ],
)
def test_what_is_no_answer_of_imds_is_not_shown(evidence: Any) -> None:
    found = report_of({"evidence": evidence})
    assert found.answer is None
    assert found.evidence == evidence


def test_nothing_but_encoding_and_signature_is_shown() -> None:
    assert report_of({"evidence": {**ANSWER, "chain_pem": "x", 5: 6, "verdict": {}}}).answer == ANSWER


class Trap(dict[str, Any]):
    """A mapping that fails when it is used."""

    def get(self, *_key: Any) -> Any:
        raise RecursionError("trap")


@pytest.mark.parametrize("error", [RecursionError, ValueError, TypeError, KeyError, MemoryError, OverflowError])
def test_whatever_is_raised_is_a_report(error: type[Exception]) -> None:
    def execute() -> Any:
        raise error("\x1b[2J")

    found = ask(execute, CODES)
    assert found.evidence is None
    assert error.__name__ in found.message
    assert "\x1b" not in found.message
    assert ask(Trap, CODES).message == "RecursionError: trap"


def test_what_is_no_doing_of_the_host_gets_through() -> None:
    def execute() -> Any:
        raise LookupError("no connection")

    with pytest.raises(LookupError):
        ask(execute, CODES, LookupError)

    def stop() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(stop, CODES)


def test_a_panic_below_python_is_a_report() -> None:
    panic = type("PanicException", (BaseException,), {})

    def execute() -> Any:
        raise panic("index out of bounds")

    assert "PanicException" in ask(execute, CODES).message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12) | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)
names = st.sampled_from(
    [
        "evidence",
        "attempts",
        "api_version",
        "failed",
        "unreachable",
        "reason",
        "msg",
        "rc",
        "exception",
        "module_stdout",
    ]
)


@given(json_values | st.dictionaries(names, json_values, max_size=8))
def test_any_report(result: Any) -> None:
    found = report_of(result)
    assert found.failure in (None, "", *CODES)
    assert isinstance(found.ansible, (dict, MappingProxyType))
