# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of built-in roots, and how much longer it leads anywhere."""

from __future__ import annotations

import re
import warnings
from datetime import date, timedelta

import pytest
from ansible_collections.imds.azure.plugins.plugin_utils._attestation import bundles, roots
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.addresses import is_allowed
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.certificates import fingerprint, is_self_issued
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import CLOSED_CLOUDS, CLOUDS
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.roots import BY_FINGERPRINT, PATHS, ROOTS

OPEN_CLOUDS = CLOUDS.keys() - CLOSED_CLOUDS.keys()
YEAR = timedelta(days=365)


def look_ahead(cloud: str, today: date) -> None:
    """From a year before the last known path ends, warn; from its end on, fail."""
    left = (roots.last_path_ends(cloud) - today).days
    assert left > 0, f"no known path from {cloud} to a root is left: see what its documents chain to now"
    if left < YEAR.days:
        warnings.warn(f"the last known path from {cloud} to a root ends in {left} days", stacklevel=2)


@pytest.mark.parametrize("cloud", sorted(OPEN_CLOUDS))
def test_a_path_to_a_root_is_left(cloud: str) -> None:
    look_ahead(cloud, date.today())


def test_the_end_of_the_last_path_is_announced_a_year_ahead() -> None:
    last = roots.last_path_ends("public")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        look_ahead("public", last - YEAR)
    with pytest.warns(UserWarning, match="from public to a root ends in 364 days"):
        look_ahead("public", last - YEAR + timedelta(days=1))
    with pytest.raises(AssertionError, match="no known path from public"):
        look_ahead("public", last)


def test_the_last_path_counts_and_the_shorter_of_path_and_root() -> None:
    ends = {path.expires for path in PATHS if path.cloud == "public"}
    assert roots.last_path_ends("public") == max(ends) == date(2029, 6, 3)


def test_a_root_that_ends_before_its_cas(monkeypatch: pytest.MonkeyPatch) -> None:
    early = tuple(root._replace(expires=date(2027, 1, 1)) for root in ROOTS)
    monkeypatch.setattr(roots, "ROOTS", early)
    assert roots.last_path_ends("public") == date(2027, 1, 1)


def test_every_path_leads_to_a_root_of_the_table() -> None:
    assert {path.root for path in PATHS} <= {root.name for root in ROOTS}
    assert {path.cloud for path in PATHS} == OPEN_CLOUDS


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_rows(root: roots.Root) -> None:
    assert re.fullmatch("[0-9a-f]{64}", root.sha256)
    assert is_allowed(root.url)
    assert root.source
    assert date(2025, 1, 1) < root.source_date < root.expires


def test_rows_are_what_the_certificates_say() -> None:
    """As far as this controller has them."""
    found = bundles.load_roots(bundles.find_bundles())
    assert found, "no CA bundle on this controller has a built-in root"
    for certificate in found:
        root = BY_FINGERPRINT[fingerprint(certificate)]
        assert certificate.subject.rfc4514_string() == root.subject
        assert certificate.not_valid_after_utc.date() == root.expires
        assert is_self_issued(certificate)


def test_the_roots_of_the_ca_page_are_there() -> None:
    """Among them those of November 2025."""
    assert {
        "371a00dc0533b3721a7eeb40e8419e70799d2b0a0f2c1d80693165f7cec4ad75",
        "018e13f0772532cf809bd1b17281867283fc48c6e13be9c69812854a490c1b05",
    } <= BY_FINGERPRINT.keys()
