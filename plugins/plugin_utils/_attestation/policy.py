# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a document must meet: cloud, time, nonce, identity. Pure, apart from the random nonce.

:func:`build_policy` checks the options of a task; the ``check_`` functions hold a document against them.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from .document import Document, iso, parse_moment
from .reasons import OptionError, Refusal

# The names under which each cloud's metadata service signs.
CLOUDS = {
    "public": "metadata.azure.com",
    "us_government": "metadata.azure.us",
    "china": "metadata.azure.cn",
    "germany": "metadata.microsoftazure.de",
}
# Still accepted, for documents of an emulator or of old; no built-in root leads to them.
CLOSED_CLOUDS = {"germany": "Azure Germany was closed on 29 October 2021"}

NONCE_RETRIES = 2  # a cached document may bear an older nonce: ask again so often, then give up
CLOCK_SKEW = 120
MAX_AGE_CHALLENGED = 300
MAX_AGE = 6 * 3600  # the lifetime Azure gives its documents
MAX_LIFETIME = timedelta(hours=24)

_NONCE = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_AUTOMATIC_NONCE = re.compile(r"\d{8}-\d{6}", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+", re.ASCII)
_PLAN_KEYS = frozenset({"name", "product", "publisher"})
_FIRST_DOCUMENT = datetime(2018, 10, 1, tzinfo=timezone.utc)
_DAY = 24 * 3600


class Policy(NamedTuple):
    """Checked options. ``None`` means: not asked for. An ``expected_`` tuple is never empty, nor are its values.

    ``notes`` are warnings about the options.
    """

    stored: bool
    nonce: str | None
    clouds: tuple[str, ...]
    vm_ids: tuple[str, ...] | None
    subscription_ids: tuple[str, ...] | None
    skus: tuple[str, ...] | None
    license_types: tuple[str, ...] | None
    plans: tuple[dict[str, str], ...] | None
    max_age: timedelta
    clock_skew: timedelta
    verify_at: datetime | None
    notes: tuple[str, ...] = ()

    @property
    def binds_identity(self) -> bool:
        """Whether the task brings a value that only the right machine's document bears."""
        return self.vm_ids is not None or self.subscription_ids is not None


def draw_nonce() -> str:
    """32 characters nobody can foresee; IMDS takes no more."""
    return secrets.token_hex(16)


def build_policy(
    *,
    stored: bool,
    nonce: str | None = None,
    clouds: str | Sequence[str] | None = None,
    expected_vm_id: str | Sequence[str] | None = None,
    expected_subscription_id: str | Sequence[str] | None = None,
    expected_sku: str | Sequence[str] | None = None,
    expected_license_type: str | Sequence[str] | None = None,
    expected_plan: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None,
    max_age: int | None = None,
    clock_skew: int | None = None,
    verify_at: str | datetime | None = None,
) -> Policy:
    """Check the options of a task. Names and defaults are those of the task; ``None`` stands for "not given".

    :param stored: the evidence is the option ``document``, not a host's fresh answer.
    :param nonce: what the document must bear; ``None`` leaves it open. ``max_age`` is 300 s for an answer to a
        nonce and else 6 h, ``clock_skew`` 120 s.
    :raises OptionError: the first option that cannot be used.
    """
    allowed, notes = _check_clouds(clouds)
    if max_age is None:
        max_age = MAX_AGE_CHALLENGED if nonce is not None and not stored else MAX_AGE
    if verify_at is not None and not stored:
        raise OptionError("verify_at", "can only be used together with document; a host's answer is judged now.")
    return Policy(
        stored=stored,
        nonce=_check_nonce_option(nonce),
        clouds=allowed,
        vm_ids=_guids("expected_vm_id", expected_vm_id),
        subscription_ids=_guids("expected_subscription_id", expected_subscription_id),
        skus=_texts("expected_sku", expected_sku),
        license_types=_texts("expected_license_type", expected_license_type),
        plans=_plans(expected_plan),
        max_age=_seconds("max_age", max_age),
        clock_skew=_seconds("clock_skew", CLOCK_SKEW if clock_skew is None else clock_skew),
        verify_at=_moment(verify_at),
        notes=notes,
    )


def match_name(names: Iterable[str], clouds: Iterable[str]) -> tuple[str, str]:
    """The cloud a certificate stands for, and the name that says so.

    :param names: the certificate's DNS names.
    :param clouds: keys of :data:`CLOUDS` that are allowed.
    :raises Refusal: ``wrong_name``, or ``wrong_cloud`` where another cloud would match.
    """
    names = [name.lower() for name in names]
    matches = {
        cloud: name
        for name in reversed(names)
        for cloud, domain in CLOUDS.items()
        if (name == domain or name.endswith("." + domain)) and _HOST_NAME.fullmatch(name)
    }
    for cloud in clouds:
        if cloud in matches:
            return cloud, matches[cloud]
    if matches:
        found = ", ".join(matches)
        raise Refusal("wrong_cloud", f"the signer belongs to the cloud {found}", names=names, clouds=list(matches))
    shown = ", ".join(names[:8]) or "none"
    raise Refusal("wrong_name", f"no DNS name of the signer is one of the metadata service's: {shown}", names=names)


def check_times(document: Document, policy: Policy, now: datetime) -> None:
    """Hold creation and expiry against each other and against ``now``.

    :raises Refusal: ``bad_lifetime``, ``from_future``, ``expired`` or ``too_old``.
    """
    created, expires, skew = document.created_on, document.expires_on, policy.clock_skew
    age, lifetime = now - created, expires - created
    if not timedelta(0) <= lifetime <= MAX_LIFETIME:
        problem = "bad_lifetime", f"from creation to expiry it is {_whole(lifetime)} s"
    elif -age > skew:
        problem = "from_future", f"created in {_whole(-age)} s, seen from {iso(now)}"
    elif now - expires > skew:
        problem = "expired", f"expired {_whole(now - expires)} s before {iso(now)}"
    elif age > policy.max_age + skew:
        problem = "too_old", f"it is {_whole(age)} s old; max_age is {_whole(policy.max_age)} s"
    else:
        return
    raise Refusal(*problem, created_on=iso(created), expires_on=iso(expires), verified_at=iso(now))


def check_nonce(document: Document, policy: Policy) -> bool:
    """Whether the document answers the challenge; ``False`` if there was none.

    :raises Refusal: ``nonce_mismatch``.
    """
    if policy.nonce is None:
        return False
    if not hmac.compare_digest(document.nonce.encode(), policy.nonce.encode()):
        raise Refusal("nonce_mismatch", "the document bears another nonce than the one asked for")
    return True


def check_identity(document: Document, policy: Policy) -> None:
    """Hold the document against every expected value.

    :raises Refusal: ``identity_mismatch``; its details name field, expected values and what was found.
    """
    for field, expected, found in (
        ("vm_id", policy.vm_ids, document.vm_id.lower()),
        ("subscription_id", policy.subscription_ids, document.subscription_id.lower()),
        ("sku", policy.skus, document.sku),
        ("license_type", policy.license_types, document.license_type),
    ):
        if expected is not None and found not in expected:
            _mismatch(field, list(expected), found)
    if policy.plans is not None and not any(plan.items() <= document.plan.items() for plan in policy.plans):
        _mismatch("plan", list(policy.plans), document.plan)


def _mismatch(field: str, expected: list[Any], found: Any) -> None:
    shown = " or ".join(map(str, expected[:5])) + (" ..." if len(expected) > 5 else "")
    message = f"{field} is {'another' if found else 'empty'}, expected {shown}"
    raise Refusal("identity_mismatch", message, field=field, expected=expected, found=found)


def _whole(span: timedelta) -> int:
    return int(span.total_seconds())


def _check_nonce_option(nonce: str | None) -> str | None:
    if nonce is None:
        return None
    if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
        raise OptionError("nonce", "takes 1 to 32 letters, digits, hyphens or underscores.")
    if _AUTOMATIC_NONCE.fullmatch(nonce):
        raise OptionError("nonce", f"{nonce} is the form that IMDS makes up itself; it proves no freshness.")
    return nonce


def _check_clouds(clouds: str | Sequence[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The clouds that are allowed, and what to say about those that are closed."""
    allowed = _texts("clouds", "public" if clouds is None else clouds) or ()
    for cloud in allowed:
        if cloud not in CLOUDS:
            raise OptionError("clouds", f"{cloud} is none of {', '.join(CLOUDS)}.")
    return allowed, tuple(
        f"clouds: {cloud} is on the list. {CLOSED_CLOUDS[cloud]}, and no built-in root vouches for its documents: they "
        "can only be verified with anchors of your own."
        for cloud in allowed
        if cloud in CLOSED_CLOUDS
    )


def _texts(option: str, values: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """One or several strings. Empty ones can never match, so they are no expectation."""
    if values is None:
        return None
    listed = [values] if isinstance(values, str) else values
    if not isinstance(listed, Sequence) or not all(isinstance(value, str) for value in listed):
        raise OptionError(option, "takes a string or a list of strings.")
    found = tuple(value.strip() for value in listed if value.strip())
    if not found:
        raise OptionError(option, "is empty, and an empty value never matches. Leave it out if nothing is expected.")
    return found


def _guids(option: str, values: str | Sequence[str] | None) -> tuple[str, ...] | None:
    found = _texts(option, values)
    if found is None:
        return None
    found = tuple(value.lower() for value in found)
    for value in found:
        if not _GUID.fullmatch(value):
            raise OptionError(option, f"{value} is not a GUID such as 02aab8a4-74ef-476e-8182-f6d2ba4166a6.")
    return found


def _plans(plans: Mapping[str, str] | Sequence[Mapping[str, str]] | None) -> tuple[dict[str, str], ...] | None:
    """One or several plans; of each, only the parts given count."""
    if plans is None:
        return None
    listed = plans if isinstance(plans, Sequence) else [plans]
    found = tuple(dict(plan) if isinstance(plan, Mapping) else {} for plan in listed)
    for plan in found:
        if not plan or not plan.keys() <= _PLAN_KEYS or not all(isinstance(v, str) and v for v in plan.values()):
            raise OptionError("expected_plan", "takes name, product and publisher, at least one, none of them empty.")
    if not found:
        raise OptionError("expected_plan", "is an empty list. Leave it out if nothing is expected.")
    return found


def _seconds(option: str, value: int) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _DAY:
        raise OptionError(option, f"takes whole seconds from 0 to {_DAY}.")
    return timedelta(seconds=value)


def _moment(value: str | datetime | None) -> datetime | None:
    """A time at which there can be a document."""
    if value is None:
        return None
    try:
        moment = parse_moment(value)
    except ValueError as error:
        raise OptionError("verify_at", "takes an ISO 8601 time such as 2026-07-28T13:25:00Z.") from error
    if moment < _FIRST_DOCUMENT:
        raise OptionError(
            "verify_at", f"{iso(moment)} lies before the first attested document of {_FIRST_DOCUMENT.year}."
        )
    return moment
