# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inputs for where nothing measures coverage: changed seeds, and bytes at random, as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hypothesis import strategies as st

from .mutation import mutate
from .regressions import REGRESSIONS
from .target import Target


def corpus(target: Target) -> list[bytes]:
    """The inputs that are kept: the seeds, and what once broke something."""
    return [*target.seeds(), *(data for _what, data in REGRESSIONS.get(target.name, ()))]


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs that are almost right, and some that are not at all."""
    start = st.sampled_from(corpus(target))

    def changed(data: bytes, number: int, rounds: int) -> bytes:
        random = Random(number)
        for _round in range(rounds):
            data = mutate(data, random, target.words, target.most)
        return data

    almost = st.builds(changed, start, st.integers(0, 2**32 - 1), st.integers(1, 6))
    return st.one_of(almost, almost, almost, st.binary(max_size=200))


def endless(target: Target, seed: int = 0) -> Iterator[bytes]:
    """The same without Hypothesis, which remembers what it has drawn, and slows down."""
    random, pool = Random(seed), corpus(target)
    while True:
        data = random.choice(pool)
        for _round in range(random.randint(1, 6)):
            data = mutate(data, random, target.words, target.most)
        yield data
