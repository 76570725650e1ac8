# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""python -m ansible_collections.imds.azure.tests.fuzz.guided TARGET [FLAG OF LIBFUZZER ...] CORPUS

Fuzzes one target with Atheris, which keeps each input that reaches new code, and changes it further. The process ends
with the first input that the target raises for; libFuzzer has written it to a file by then.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from random import Random
from typing import Any

import atheris

# Everything of the product that is imported here reports which of its branches are taken.
with atheris.instrument_imports(include=["ansible_collections.imds.azure.plugins", "azure_imds_emulator"]):
    from .table import TARGETS

    # The emulator signs in Python, which takes long, and nothing here verifies that.
    _rsa = importlib.import_module("azure_imds_emulator.attestation.rsa")
    _rsa.sign = lambda _key, message: hashlib.sha512(message).digest() * 4  # type: ignore[attr-defined]

    TARGET = TARGETS[sys.argv[1]]
    for _seed in TARGET.seeds():  # some modules are imported only when they are needed
        TARGET.run(_seed)

from .mutation import mutate


def change(data: bytes, most: int, seed: int) -> bytes:
    """By turns as libFuzzer does it, which learns what comparisons look for, and as we do it, which know JSON."""
    if seed % 2:
        return bytes(atheris.Mutate(data, most))
    return mutate(data, Random(seed), TARGET.words, most)


def main(arguments: list[str]) -> Any:
    atheris.Setup([arguments[0], *arguments[2:]], TARGET.run, custom_mutator=change)
    return atheris.Fuzz()  # does not return


if __name__ == "__main__":
    main(sys.argv)
