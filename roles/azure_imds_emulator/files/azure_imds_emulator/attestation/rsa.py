# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RSA 2048 for a host that has nothing but Python: keys, and PKCS #1 v1.5 signatures with SHA-256.

Not for secrets: it does not hide how long it takes. Nobody should trust an emulator's key anywhere else.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from dataclasses import dataclass

PRIME_BITS = 1024
EXPONENT = 65537
SIEVE_LIMIT = 1 << 16  # smaller primes are sieved out: a test with pow() costs as much as thousands of them
SPAN = 1 << 13  # odd numbers that are looked at from each random start
ROUNDS = 5  # of Miller-Rabin: an error below 2^-100 for random numbers of this size

# DigestInfo with SHA-256 up to the digest (RFC 8017, 9.2, note 1).
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True)
class Key:
    """A private key by its two primes."""

    p: int
    q: int

    @property
    def modulus(self) -> int:
        """The public half, with EXPONENT."""
        return self.p * self.q


def generate() -> Key:
    """A new key. Some tenths of a second."""
    p = _prime()
    q = _prime()
    return Key(p, q) if p != q else generate()


def sign(key: Key, message: bytes) -> bytes:
    """The signature over SHA-256 of the message (RFC 8017, 8.2.1). By the two primes: four times as fast."""
    size = (key.modulus.bit_length() + 7) // 8
    digest = SHA256_PREFIX + hashlib.sha256(message).digest()
    padded = int.from_bytes(b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest, "big")
    d_p, d_q, q_inverse = _parts(key)
    at_p, at_q = pow(padded, d_p, key.p), pow(padded, d_q, key.q)
    return (at_q + (at_p - at_q) * q_inverse % key.p * key.q).to_bytes(size, "big")


@functools.lru_cache(maxsize=16)
def _parts(key: Key) -> tuple[int, int, int]:
    return pow(EXPONENT, -1, key.p - 1), pow(EXPONENT, -1, key.q - 1), pow(key.q, -1, key.p)


def _prime() -> int:
    """A random prime whose two highest bits are set, so that the product of two has all its bits."""
    while True:
        start = secrets.randbits(PRIME_BITS) | 0b11 << (PRIME_BITS - 2) | 1
        for offset in _unsieved(start):
            candidate = start + 2 * offset
            if (
                candidate.bit_length() == PRIME_BITS
                and (candidate - 1) % EXPONENT
                and pow(2, candidate - 1, candidate) == 1
                and all(_passes(candidate, 2 + secrets.randbelow(candidate - 3)) for _round in range(ROUNDS))
            ):
                return candidate


def _unsieved(start: int) -> list[int]:
    """The offsets below SPAN at which ``start + 2 * offset`` (start is odd) has no small factor."""
    alive = bytearray(b"\1") * SPAN
    for prime in _small_primes():
        # The first offset with start + 2 * offset = 0 (mod prime); (prime + 1) / 2 is the inverse of 2.
        first = -start * ((prime + 1) // 2) % prime
        if first < SPAN:
            alive[first::prime] = bytes((SPAN - 1 - first) // prime + 1)
    return [offset for offset in range(SPAN) if alive[offset]]


@functools.lru_cache(maxsize=1)
def _small_primes() -> list[int]:
    """The odd primes below SIEVE_LIMIT."""
    alive = bytearray(b"\1") * SIEVE_LIMIT
    for number in range(3, int(SIEVE_LIMIT**0.5) + 1, 2):
        if alive[number]:
            alive[number * number :: number] = bytes((SIEVE_LIMIT - 1 - number * number) // number + 1)
    return [number for number in range(3, SIEVE_LIMIT, 2) if alive[number]]


def _passes(candidate: int, base: int) -> bool:
    """One round of Miller-Rabin."""
    twos = ((candidate - 1) & (1 - candidate)).bit_length() - 1
    value = pow(base, (candidate - 1) >> twos, candidate)
    if value in (1, candidate - 1):
        return True
    for _square in range(twos - 1):
        value = value * value % candidate
        if value == candidate - 1:
            return True
    return False
