# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks IMDS for scheduled events, and sends approvals. One request and its retries at a time; decides nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Callable

from ansible_collections.imds.azure.plugins.module_utils._imds import retry
from ansible_collections.imds.azure.plugins.module_utils._imds.client import Client, UnusableError, read_object
from ansible_collections.imds.azure.plugins.module_utils._imds.options import Settings
from ansible_collections.imds.azure.plugins.module_utils._imds.paths import INSTANCE, Path
from ansible_collections.imds.azure.plugins.module_utils._imds.reasons import ImdsError
from ansible_collections.imds.azure.plugins.module_utils._imds.transport import Response

from . import dates, terms
from .document import Document, DocumentError, parse
from .options import Reading

_NAME = Path("instance/compute/name", INSTANCE.since, False, leaf=True)
_THROTTLED = b"Throttle Result: Too Many Requests"
# How IMDS says that a host does not have a version yet.
_TOO_NEW = ("bad_version", "rejected", "not_found")
IMDS, GUEST = "imds", "guest"


class _Policy(retry.Policy):
    """IMDS throttles this endpoint in words; which status goes with them is not recorded."""

    def classify(self, response: Response) -> str:
        return "throttled" if _THROTTLED in response.body[:1024] else super().classify(response)


class _Approval(_Policy):
    """An approval is done with any success of IMDS itself; that the answer has a body is not promised."""

    def __init__(self) -> None:
        # Not a root: 404 is about the events in the request.
        super().__init__(root=False)

    def classify(self, response: Response) -> str:
        outcome = super().classify(response)
        done = 200 <= response.status < 300 and not retry.is_foreign(response)
        return "ok" if done and outcome != "throttled" else outcome


class Service:
    """The scheduled events of this VM.

    vm_name: compute.name, once identify() was called; None where IMDS does not tell. answered: whether IMDS has shown
    its events at all, and the service is on therefore. api_version: the one that was used. read_at: ISO 8601, when the
    last document was sent, by the clock of IMDS, or of the guest where the answer has no date: see clock.
    """

    def __init__(self, reading: Reading, client: Client | None = None, now: Callable[[], float] = time.time) -> None:
        self._settings = reading.settings
        self._first_timeout = reading.first_timeout
        self._versions = list(terms.ladder(reading.api_version))
        self._now = now
        self.client = client or Client(reading.settings)
        self.vm_name: str | None = None
        self.answered = False
        self.api_version: str | None = None
        self.read_at: str | None = None
        self.clock: str | None = None

    def identify(self, limit: float | None = None) -> None:
        """Ask for the VM's name, by which events name it. A classic VM has none.

        :param limit: seconds that it may take at most, if that is less than the settings' timeout
        :raises ImdsError: IMDS could not be asked
        """
        self._allow(self._settings.timeout, self._settings.read_timeout, limit)
        try:
            self.vm_name = str(self.client.fetch(_NAME).content).strip() or None
        except ImdsError as error:
            if error.reason.code not in ("not_found", "rejected"):
                raise

    def read(self, limit: float | None = None) -> Document:
        """The events as they are now. The first answer may take as long as first_timeout.

        :param limit: seconds that it may take at most, if that is less
        :raises ImdsError: with the reason if there is no document
        """
        if self.answered:
            self._allow(self._settings.timeout, self._settings.read_timeout, limit)
        else:
            self._allow(max(self._settings.timeout, self._first_timeout), self._first_timeout, limit)
        while True:
            version = self._versions[0]
            # Every host has the default, so there 404 means "not now".
            path = Path("scheduledevents", version, version <= terms.DEFAULT)
            read = partial(self._parse, version)
            try:
                document, _response = self.client.ask(path, version, read, policy=_Policy(path.root))
            except ImdsError as error:
                if self.answered or version <= terms.DEFAULT or error.reason.code not in _TOO_NEW:
                    raise
                if len(self._versions) == 1:
                    detail = f"it refuses api-version {version} of scheduled events: {error.detail}"
                    raise ImdsError("bad_version", detail) from None
                del self._versions[0]
            else:
                self.answered, self.api_version = True, version
                self._versions = [version]
                return document  # type: ignore[no-any-return]

    def approve(self, event_ids: Sequence[str], limit: float | None = None) -> None:
        """Let these events start now, with all the VMs that they name.

        :param event_ids: exactly as they were received
        :param limit: seconds that it may take at most, if that is less than the settings' timeout
        :raises ImdsError: IMDS did not confirm it; it may have started them all the same
        """
        self._allow(self._settings.timeout, self._settings.read_timeout, limit)
        version = self._versions[0]
        body = json.dumps(start_requests(event_ids), separators=(",", ":")).encode()
        self.client.ask(
            Path("scheduledevents", version, False),
            version,
            lambda _response: None,
            policy=_Approval(),
            headers={"Content-Type": "application/json"},
            body=body,
        )

    def _allow(self, timeout: float, read_timeout: float, limit: float | None) -> None:
        most = timeout if limit is None else min(timeout, limit)
        updating = self._settings.updating_timeout
        times = {
            "timeout": most,
            "read_timeout": read_timeout,
            "updating_timeout": updating if limit is None else min(updating, limit),
        }
        self.client.restart(Settings(**{**vars(self._settings), **times}))

    def _parse(self, version: str, response: Response) -> Document:
        sent = dates.parse(response.headers.get("date", ""))
        self.clock = GUEST if sent is None else IMDS
        now = int(self._now()) if sent is None else sent
        self.read_at = dates.iso(now)
        try:
            return parse(read_object(response), now, self.vm_name, version)
        except DocumentError as error:
            raise UnusableError("malformed", str(error)) from None


def start_requests(event_ids: Sequence[str]) -> dict[str, Any]:
    """The document that approves these events."""
    return {"StartRequests": [{"EventId": event_id} for event_id in event_ids]}
