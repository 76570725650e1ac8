# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks IMDS under one deadline: paces requests, retries by the table, steps down the version ladder, logs attempts."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Callable

from . import guest, lock, paths, platform, release, retry, transport, turn, versions
from .options import Settings
from .paths import Path
from .reasons import ImdsError, printable

# IMDS allows a VM 5 requests per second, counting all its programs.
PACE = 0.25
# Seconds per address when looking for the right source: if IMDS answers at all, it does so within milliseconds.
_PROBE_TIMEOUT = 2.0
# With as many disks, addresses and tags as Azure allows, a document has fewer than half of them.
MAX_VALUES = 20_000
_MAX_DEPTH = 64
# Seconds after which a module says how long it took.
_LONG = 10.0


class ImdsAnswer:
    """content: parsed JSON, or text; api_version: the one that was used; local_address: where it was received."""

    def __init__(self, content: Any, api_version: str | None, local_address: str) -> None:
        self.content = content
        self.api_version = api_version
        self.local_address = local_address


class UnusableError(Exception):
    """A 200 response with unexpected content. outcome: a key of the policy's rules."""

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


class _Seen:
    """One attempt: its outcome, a description, and what came back."""

    def __init__(
        self,
        outcome: str,
        detail: str,
        response: transport.Response | None = None,
        content: Any = None,
        silent_on: str | None = None,
    ) -> None:
        self.outcome = outcome
        self.detail = printable(detail)
        self.response = response
        self.content = content
        self.silent_on = silent_on


class Client:
    """One operation against IMDS. Its deadline starts when the client is created.

    :param pace: seconds at least from the start of one request to that of the next

    requests: how many were sent; attempts: the log, with path, api_version, outcome, status, detail and wait of each.
    """

    def __init__(
        self,
        settings: Settings,
        get: Callable[..., transport.Response] = transport.get,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        same_machine: Callable[[str], bool | None] | None = None,
        post: Callable[..., transport.Response] = transport.post,
        pace: float = PACE,
    ) -> None:
        self._settings = settings
        self._get = get
        self._post = post
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._same_machine = same_machine or platform.same_machine
        # What another program sends in our place is not ours to pace.
        self._turn = turn.Turn(settings.address, sleep, alone=get is not transport.get)
        self._started = clock()
        self._limit = settings.timeout
        self._last_request: float | None = None
        self._mark: int | None = None
        self.requests = 0
        self.attempts: list[dict[str, Any]] = []

    @property
    def elapsed(self) -> float:
        return self._clock() - self._started

    def restart(self, settings: Settings) -> None:
        """Begin another operation, with its own deadline and times. Pace, counts and log go on."""
        self._settings = settings
        self._started = self._clock()
        self._limit = settings.timeout

    def instance(self) -> ImdsAnswer:
        """The instance document, a dict with compute or network.

        :raises ImdsError: with the reason if there is none
        """
        return self._versioned(paths.INSTANCE, self._read_instance)

    def load_balancer(self) -> ImdsAnswer:
        """The load balancer document, {"loadbalancer": {...}}.

        :raises ImdsError: not_found if the VM is not behind one
        """
        return self._versioned(paths.LOAD_BALANCER, read_object)

    def attested(self, nonce: str) -> ImdsAnswer:
        """The attested document for a nonce (options.nonce), {"encoding": ..., "signature": ...}. Nothing is verified.

        :raises ImdsError: with the reason if there is none
        """
        return self._versioned(paths.ATTESTED, read_object, f"&nonce={nonce}")

    def fetch(self, path: Path) -> ImdsAnswer:
        """Whatever is at a path: parsed JSON, or the text of a single value.

        :raises ImdsError: with the reason if there is nothing
        """
        if not path.since:
            content, response = self.ask(path, None, _read_json)
            return ImdsAnswer(content, None, response.local_address)
        # A leaf has no JSON form: IMDS rejects the request, and gives it as text only.
        forms = [(_read_json, ""), (_read_text, "&format=text")]
        (read, query), (other_read, other_query) = reversed(forms) if path.leaf else forms
        try:
            return self._versioned(path, read, query)
        except ImdsError as error:
            if error.reason.code != "rejected" or not path.path.startswith("instance/"):
                raise
            return self._versioned(path, other_read, other_query)

    def long_waits(self) -> list[str]:
        """A warning if this took long, else nothing. It says how long, and how often what was seen."""
        if self.elapsed <= _LONG:
            return []
        seen: dict[str, int] = {}
        for attempt in self.attempts:
            seen[attempt["outcome"]] = seen.get(attempt["outcome"], 0) + 1
        outcomes = ", ".join(f"{outcome} {count}" for outcome, count in seen.items())
        return [f"Asking IMDS took {self.elapsed:.0f} s. Attempts by outcome: {outcomes}."]

    def _versioned(self, path: Path, read: Callable[[transport.Response], Any], query: str = "") -> ImdsAnswer:
        pinned = self._settings.api_version
        version = pinned or versions.LADDER[0]
        while True:
            try:
                content, response = self.ask(path, version, read, query)
            except _VersionError as error:
                lower = None if pinned else versions.step_down(version, error.offered, path.since)
                if lower is None:
                    raise
                version = lower
            else:
                return ImdsAnswer(content, version, response.local_address)

    def ask(
        self,
        path: Path,
        version: str | None,
        read: Callable[[transport.Response], Any],
        query: str = "",
        policy: retry.Policy | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[Any, transport.Response]:
        """Ask for one path in one version until there is an answer or a reason to stop.

        :param read: makes the content of a response that the policy takes for "ok"
        :param query: what follows the API version, beginning with &
        :param headers: more headers than every request has
        :param body: what to POST, more than once if need be; None for a GET
        :raises ImdsError: with the reason to stop
        """
        policy = policy or retry.Policy(path.root)
        target = request_target(path, version, query)
        tries: dict[str, int] = {}
        while True:
            seen = self._attempt(target, read, policy, headers or {}, body)
            tries[seen.outcome] = tries.get(seen.outcome, 0) + 1
            log: dict[str, Any] = {
                "path": path.path,
                "api_version": version,
                "outcome": seen.outcome,
                "status": seen.response.status if seen.response else None,
                "detail": seen.detail,
                "wait": None,
            }
            self.attempts.append(log)
            throttled = policy.rules[seen.outcome].reason == "throttled"
            if not throttled:
                self._turn.leave()
            if seen.outcome == "ok" and seen.response:
                return seen.content, seen.response
            if seen.outcome == "bad_version" and seen.response:
                raise _VersionError(version, retry.newest_versions(seen.response.body))
            if seen.outcome == "route_prohibited" and self._unlocked(seen.detail):
                continue
            if seen.silent_on and tries[seen.outcome] == 2:
                self._try_other_sources(target, seen.silent_on)
            if throttled and self._queue(log):
                tries[seen.outcome] = 0  # whoever was ahead of us was throttled too, so this was no try of ours
                continue
            log["wait"] = self._wait(seen, tries[seen.outcome], policy)
            if log["wait"] is None:
                self._turn.leave()
                raise ImdsError(policy.rules[seen.outcome].reason, seen.detail)
            self._sleep(log["wait"])

    def _queue(self, log: dict[str, Any]) -> bool:
        """Wait for our turn among the throttled. Returns whether anybody was ahead of us."""
        waited = 0.0 if self._turn.held else self._turn.wait(self.remaining - turn.RESERVE)
        if waited:
            log["wait"] = waited
            # Who had the turn has just asked, and the pace is one for all.
            self._last_request = self._clock()
        return waited > 0

    def _wait(self, seen: _Seen, tries: int, policy: retry.Policy) -> float | None:
        """Seconds until the next try; None if the policy allows none, or the deadline comes first."""
        rule = policy.rules[seen.outcome]
        # An update extends the deadline; any other outcome that is retried restores the usual one.
        if seen.outcome == "updating":
            self._limit = max(self._settings.timeout, self._settings.updating_timeout)
        elif rule.waits:
            self._limit = self._settings.timeout
        retry_after = seen.response.headers.get("retry-after") if seen.response else None
        wait = policy.wait(seen.outcome, tries, retry_after, os.urandom(1)[0] / 255, self.elapsed)
        return wait if wait is not None and max(wait, self._pace) < self.remaining else None

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self._limit - self.elapsed

    def _attempt(
        self,
        target: str,
        read: Callable[[transport.Response], Any],
        policy: retry.Policy,
        headers: dict[str, str],
        body: bytes | None,
    ) -> _Seen:
        try:
            response = self._send(target, headers=headers, body=body)
        except transport.TransportError as error:
            return _Seen(error.kind, str(error), silent_on=error.local_address if error.silent else None)
        outcome = policy.classify(response)
        if outcome != "ok":
            return _Seen(outcome, policy.describe(response), response)
        try:
            return _Seen("ok", policy.describe(response), response, read(response))
        except UnusableError as error:
            return _Seen(error.outcome, str(error), response)

    def _send(
        self,
        target: str,
        source: str | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> transport.Response:
        pause = 0.0 if self._last_request is None else max(self._last_request + self._pace - self._clock(), 0.0)
        if pause >= self.remaining:
            raise transport.TransportError(
                "connect_timeout", f"the limit of {self._limit:g} s leaves no time for a request"
            )
        if pause:
            self._sleep(pause)
        self._last_request = self._clock()
        self.requests += 1
        timeout = min(self.remaining, _PROBE_TIMEOUT) if source else self.remaining
        times = (self._settings.connect_timeout, self._settings.read_timeout, timeout)
        more = {} if self._mark is None else {"mark": self._mark}
        sent = {**request_headers(), **(headers or {})}
        if body is not None:
            return self._post(self._settings.address, target, sent, body, *times, source, **more)
        return self._get(self._settings.address, target, sent, *times, source, **more)

    def _unlocked(self, detail: str) -> bool:
        """Take systemd's own way past its lock, which is a firewall mark; whether that is worth another try.

        :raises ImdsError: locked_by_systemd, where this process may not set the mark
        """
        if self._mark is not None or not lock.is_locked():
            return False
        if not lock.may_set_mark():
            raise ImdsError("locked_by_systemd", detail)
        self._mark = lock.MARK
        return True

    def _try_other_sources(self, target: str, silent_on: str) -> None:
        """IMDS answers only the primary address: if another of ours gets an answer, the source address was wrong.

        :raises ImdsError: wrong_source_address
        """
        if self._settings.loopback:
            return
        for address in [address for address in guest.addresses() if address != silent_on][:3]:
            try:
                response = self._send(target, source=address)
            except transport.TransportError:
                continue
            if retry.classify(response, root=True) != "intercepted":
                detail = f"no answer for {silent_on}, but one for {address}"
                raise ImdsError("wrong_source_address", detail)

    def _read_instance(self, response: transport.Response) -> dict[str, Any]:
        document = read_object(response)
        compute, network = document.get("compute"), document.get("network")
        if not isinstance(compute, dict) and not isinstance(network, dict):
            raise UnusableError("malformed", "the document has neither compute nor network")
        vm_id = compute.get("vmId") if isinstance(compute, dict) else None
        # With force, the firmware need not be Azure's, so its UUID proves nothing.
        if self._settings.detect != "force" and isinstance(vm_id, str) and self._same_machine(vm_id) is False:
            raise UnusableError("intercepted", f"vmId {vm_id} is not the UUID of this machine's firmware")
        return document


class _VersionError(ImdsError):
    def __init__(self, version: str | None, offered: list[str]) -> None:
        known = f"; it offers {', '.join(offered[:5])}" if offered else ""
        super().__init__("bad_version", f"IMDS does not accept api-version {version}{known}")
        self.offered = offered


def request_target(path: Path, version: str | None, query: str = "") -> str:
    """What a request names. query: further parameters, each after an ampersand."""
    return f"/metadata/{path.path}" + (f"?api-version={version}{query}" if version else "")


def request_headers() -> dict[str, str]:
    """The headers of one request, with an ID of its own."""
    digits = os.urandom(16).hex()
    return {
        "Metadata": "true",
        "User-Agent": f"imds.azure/{release.VERSION}",
        "x-ms-client-request-id": "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),
        "Accept": "*/*",
    }


def _read_text(response: transport.Response) -> str:
    try:
        return response.body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnusableError("malformed", "the answer is not UTF-8") from None


def _read_json(response: transport.Response) -> Any:
    text = _read_text(response)
    try:
        content = json.loads(text)
        # Python also accepts what it cannot pass on: NaN, numbers out of range, unpaired surrogates.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise UnusableError("malformed", f"the answer is not JSON: {error}") from None
    depth, values = _extent(content)
    if depth > _MAX_DEPTH:
        raise UnusableError("malformed", f"the answer is nested deeper than {_MAX_DEPTH} levels")
    if values > MAX_VALUES:
        raise UnusableError("too_large", f"the answer holds more than {MAX_VALUES} values")
    return content


def read_object(response: transport.Response) -> dict[str, Any]:
    """The JSON object of an answer.

    :raises UnusableError: it is something else
    """
    content = _read_json(response)
    if not isinstance(content, dict):
        raise UnusableError("malformed", "the answer is not a JSON object")
    return content


def _extent(content: Any) -> tuple[int, int]:
    """How deep a document is nested, and how many values it holds.

    Not recursive, because that is what it guards against.
    """
    depth, count, level = 0, 0, [content]
    while level:
        depth += 1
        count += len(level)
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        level = [value for values in inner for value in values]
    return depth, count
