# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes attested documents: fresh, signed in Azure's form, and wrong where a VM's switches say so."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Callable

from ..vms import Vm, Vms
from . import rsa
from .authority import DAY, INTERMEDIATE, UNTRUSTED_ROOT, Authority, urls
from .certificates import Certificate, CertificateSpec
from .cms import signed_data
from .content import content

# compute.azEnvironment in lower case -> the domain under which the cloud's metadata service signs.
DOMAINS: dict[str, str] = {
    "azurepubliccloud": "metadata.azure.com",
    "azureusgovernmentcloud": "metadata.azure.us",
    "azurechinacloud": "metadata.azure.cn",
    "azuregermancloud": "metadata.microsoftazure.de",
}
LEAF_DAYS = 180

# The switches that concern the certificate of the signer.
LEAF_SWITCHES: dict[str, Callable[[CertificateSpec], CertificateSpec]] = {
    "expired_leaf": lambda spec: _shifted(spec, -2 * LEAF_DAYS),
    "future_leaf": lambda spec: _shifted(spec, LEAF_DAYS),
    "wrong_name": lambda spec: replace(spec, names=tuple(f"{name}.attacker.example" for name in spec.names)),
    "untrusted_root": lambda spec: replace(spec, issuer_urls=urls(UNTRUSTED_ROOT)),
    "missing_issuer": lambda spec: replace(spec, issuer_urls=urls("Azure IMDS Emulator Missing CA")),
}


class Documents:
    """Makes the documents of all VMs; remembers the nonces that were asked for."""

    def __init__(self, vms: Vms, authority: Authority) -> None:
        self._vms = vms
        self._authority = authority
        self._lock = threading.Lock()
        self._earlier: dict[str, str] = {}
        self._cached: dict[str, tuple[Vm, int]] = {}

    def make(self, vm: Vm, version: str, nonce: str, now: float) -> bytes:
        """The document (DER) for this VM; ``nonce`` empty: none was asked for."""
        on = vm.attested
        nonce = self._nonce(vm, nonce)
        shown = self._vms.named(on.get("relayed_from", vm.name)) or vm
        stated = content(shown, version, nonce, now - on.get("age", 0))
        signer = self._leaf(shown, on, now)
        others: tuple[Certificate, ...] = ()
        if "genuine_first" in on:
            signer, others = self._authority.impostor(_impostor(now)), (signer,)
        key = self._authority.impostor_key() if "wrong_signer" in on else signer.key
        signature = rsa.sign(key, stated)
        return signed_data(_altered(stated) if "altered" in on else stated, signature, signer, *others)

    def _nonce(self, vm: Vm, nonce: str) -> str:
        """The nonce asked for, or as often as the switch says, the one before. A new list of VMs counts anew."""
        with self._lock:
            counted, times = self._cached.get(vm.name, (vm, 0))
            times = times if counted is vm else 0
            if times >= vm.attested.get("cached_nonce", 0):
                self._earlier[vm.name] = nonce
                return nonce
            self._cached[vm.name] = (vm, times + 1)
            return self._earlier.get(vm.name, "")

    def _leaf(self, vm: Vm, on: Any, now: float) -> Certificate:
        """The certificate for the cloud and the region of the VM."""
        domain = DOMAINS.get(_word(vm, "azEnvironment"), DOMAINS["azurepubliccloud"])
        region = _word(vm, "location")
        names = (f"{region}.{domain}", domain) if region else (domain,)
        spec = _spec(domain, now, names=names, issuer_urls=urls(INTERMEDIATE))
        for switch, change in LEAF_SWITCHES.items():
            spec = change(spec) if switch in on else spec
        return self._authority.leaf(spec, untrusted="untrusted_root" in on)


def _spec(common_name: str, now: float, **more: Any) -> CertificateSpec:
    """Valid since yesterday: it changes once a day, and clocks may differ."""
    start = int(now) // DAY * DAY - DAY
    return CertificateSpec(common_name, start, start + LEAF_DAYS * DAY, **more)


def _impostor(now: float) -> CertificateSpec:
    """Longer than a genuine certificate, so that DER sorts it behind that one."""
    names = ("attacker.example", f"{'a' * 60}.attacker.example", f"{'b' * 60}.attacker.example")
    return _spec("attacker.example", now, names=names, issuer_urls=urls(INTERMEDIATE))


def _shifted(spec: CertificateSpec, days: int) -> CertificateSpec:
    return replace(spec, not_before=spec.not_before + days * DAY, not_after=spec.not_after + days * DAY)


def _word(vm: Vm, name: str) -> str:
    """A value in lower case, as far as it can be part of a host name."""
    value = str(vm.compute.get(name) or "").lower()
    return "".join(letter for letter in value if letter.isascii() and (letter.isalnum() or letter == "-")).strip("-")


def _altered(stated: bytes) -> bytes:
    """Another last digit of vmId, which is the last value."""
    return stated[:-3] + (b"0" if stated[-3:-2] != b"0" else b"1") + stated[-2:]
