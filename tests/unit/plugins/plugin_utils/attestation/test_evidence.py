# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored evidence: what it holds, what is made of it, and files on the controller."""

from __future__ import annotations

import json
import os
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import evidence, evidence_file
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import OptionError
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict
from ansible_collections.imds.azure.tests.scenarios.attestation import documents as docs
from ansible_collections.imds.azure.tests.scenarios.attestation.authority import NOW, hierarchy
from ansible_collections.imds.azure.tests.scenarios.attestation.judge import SOON, judge
from hypothesis import given
from hypothesis import strategies as st

ANSWER = {"encoding": "pkcs7", "signature": docs.text(docs.document())}
YEARS = timedelta(days=4000)


def chain_pem() -> str:
    found = judge(docs.document()).chain_pem
    assert found
    return found


def stored(**changes: Any) -> dict[str, Any]:
    """What a stored file holds, apart from changes; ``None`` leaves a key out."""
    text = evidence.store(ANSWER, chain_pem(), {"verified": True, "verified_at": "2026-08-01T12:01:00Z"})
    content = {**json.loads(text), **changes}
    return {key: value for key, value in content.items() if value is not None}


def later(document: Any, **options: Any) -> Verdict:
    """Verified years later, with nothing but the root at hand."""
    return judge(document, **{"stored": True, "intermediates": [], "nonce": None, "now": NOW + YEARS, **options})


@pytest.mark.parametrize("form", [stored, lambda: json.dumps(stored())], ids=["decoded", "text"])
def test_a_stored_file_needs_nothing_else(form: Any) -> None:
    verdict = later(form())
    assert verdict.verified, verdict.message
    assert (verdict.verified_at, verdict.verified_at_source) == ("2026-08-01T12:01:00Z", "file")
    assert len(verdict.chain) == 4


def test_the_time_of_a_file_is_said_to_be_only_as_good_as_the_file() -> None:
    (warning,) = [warning for warning in later(stored()).warnings if "recorded in the file" in warning]
    assert "2026-08-01T12:01:00Z" in warning
    assert "Nothing signs that record" in warning


def test_the_option_outweighs_the_file() -> None:
    verdict = later(stored(), verify_at="2026-08-01T13:00:00Z")
    assert (verdict.verified_at, verdict.verified_at_source) == ("2026-08-01T13:00:00Z", "option")
    assert not any("file" in warning for warning in verdict.warnings)
    assert later(stored(), verify_at=(NOW + YEARS).isoformat()).reason == "certificate_not_current"


@pytest.mark.parametrize("recorded", ["2036-08-01T12:01:00Z", "2026-08-02T12:01:00Z", "2026-07-31T12:01:00Z"])
def test_a_file_cannot_make_a_document_valid_at_another_time(recorded: str) -> None:
    assert not later(stored(verdict={"verified_at": recorded})).verified


def test_without_a_recorded_time_it_is_now() -> None:
    verdict = later(stored(verdict=None))
    assert (verdict.reason, verdict.verified_at_source) == ("certificate_not_current", "clock")


def test_the_chain_of_a_file_is_not_trusted() -> None:
    assert later(stored(), anchors=[hierarchy().other_root]).reason == "untrusted_root"
    assert later(stored(chain_pem=None)).reason == "missing_issuer"
    assert later(stored(chain_pem="rubbish")).reason == "missing_issuer"


def test_the_verdict_of_a_file_is_not_believed() -> None:
    altered = docs.document().replace(docs.VM_ID[:8].encode(), b"12aab8a4")
    verdict = later(stored(signature=docs.text(altered), verified=True))
    assert (verdict.verified, verdict.reason) == (False, "bad_signature")


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_pem": 5},
        {"verdict": 5},
        {"verdict": {}},
        {"verdict": {"verified_at": "yesterday"}},
        {"verdict": {"verified_at": ["2026-08-01T12:01:00Z"]}},
        {"format": 2},
        {"format": "1"},
        {"signature": 5},
    ],
    ids=str,
)
def test_a_spoilt_file_has_a_reason(changes: dict[str, Any]) -> None:
    assert later(stored(**changes)).reason == "bad_envelope"


def test_a_host_cannot_hand_back_a_stored_file() -> None:
    """Of its answer, only encoding and signature count: neither time nor certificates."""
    verdict = judge(stored(), intermediates=[], now=SOON)
    assert (verdict.reason, verdict.verified_at_source) == ("missing_issuer", "clock")
    assert judge(stored(), now=NOW + YEARS).reason == "certificate_not_current"


def test_a_file_can_be_verified_by_releases_that_do_not_know_it() -> None:
    assert stored().items() >= ANSWER.items()


@given(st.dictionaries(st.sampled_from([*stored(), "x"]), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_any_file(changes: dict[str, Any]) -> None:
    verdict = later({**stored(), **changes})
    assert verdict.step
    if changes.keys() <= {"x"}:
        assert verdict.verified
    if "signature" in changes:
        assert not verdict.verified


# files


def test_a_file_is_written_whole_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "web-1.json"
    evidence_file.check_destination(path)
    evidence_file.write_evidence(path, "one")
    evidence_file.write_evidence(path, "two")
    assert evidence_file.read_text(str(path)) == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "web-1.json"
    path.write_text("old")

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OptionError, match=r"dest: .*web-1\.json cannot be written: No space left on device"):
        evidence_file.write_evidence(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_bad_destinations_are_named_before_anything_is_done(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path, "is a directory"),
        (file / "x.json", "is not a directory"),
        (tmp_path / "pipe", "is not a regular file"),
    ):
        with pytest.raises(OptionError, match=message) as caught:
            evidence_file.check_destination(path)
        assert caught.value.option == "dest"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_destination_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OptionError, match="may not write"):
        evidence_file.check_destination(tmp_path / "x.json")


def test_what_may_be_a_path() -> None:
    for name in ("evidence/web-1.json", "/evidence/web1", "~/x", "x"):
        assert evidence_file.may_be_path(name)
    for other in (ANSWER["signature"], json.dumps(ANSWER), ANSWER, "", None, 5, "a\nb", "a\0b", "x" * 5000):
        assert not evidence_file.may_be_path(other)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nothing"):
        with pytest.raises(OptionError, match="document: "):
            evidence_file.read_text(str(path))
    (tmp_path / "huge").write_bytes(bytes(10**6))
    assert len(evidence_file.read_text(str(tmp_path / "huge"))) == evidence.MAX_TEXT + 1


def test_recorded_times_are_utc() -> None:
    opened = evidence.open_evidence(stored(verdict={"verified_at": "2026-08-01T14:01:00+02:00"}), stored=True)
    assert opened.recorded_at == datetime(2026, 8, 1, 12, 1, tzinfo=timezone.utc)
