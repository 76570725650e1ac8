# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes an input a little. JSON stays JSON most of the time, so that the code behind the parser is reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

# Values that readers have stumbled over: wrong types, limits, what Python takes for a digit or a space.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, 1e-7),
    *(
        "",
        " ",
        "0",
        "-1",
        "00",
        "1e3",
        "0x10",
        "true",
        "\u00b2",
        "\u0661",
        "\u212a",
        "\x00",
        "\x1b[2J",
        "\n",
        "\r\nA: b",
    ),
    *(
        "\ud800",
        "\U0001f600",
        "\u202e",
        "a" * 300,
        "9" * 25,
        "../../etc",
        "%00",
        "${name}",
        "169.254.169.254",
        "0.0.0.0/0",
    ),
    *([], {}, [[]], [None], {"": ""}, [{}], {"a": {"a": {}}}),
)
_INTERESTING = (
    b"\x00",
    b"\xff",
    b"\x80",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
)


def mutate(data: bytes, random: Random, words: Sequence[bytes] = (), most: int = 8 * 1024) -> bytes:
    """The input with one to four changes.

    :param random: decides everything, so that the same one makes the same of an input
    :param words: what such inputs are made of
    :param most: bytes of the result
    """
    tree = _tree(data) if random.random() < 0.8 else None
    if tree is None:
        for _change in range(random.randint(1, 4)):
            data = _edit(data, random, words)
        return data[:most]
    for _change in range(random.randint(1, 4)):
        tree = _changed(tree, random, words)
    # Half of a surrogate pair can only be escaped.
    text = json.dumps(tree, ensure_ascii=random.random() < 0.5)
    return text.encode("utf-8", "surrogatepass" if random.random() < 0.1 else "replace")[:most]


def _tree(data: bytes) -> Any:
    try:
        tree = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, (dict, list)) else None


def _changed(tree: Any, random: Random, words: Sequence[bytes]) -> Any:
    """A copy in which one node is another."""
    if not isinstance(tree, (dict, list)) or not tree or random.random() < 0.15:
        return _instead(tree, random, words)
    keys: list[Any] = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = random.choice(keys)
    changed = dict(tree) if isinstance(tree, dict) else list(tree)
    action = random.random()
    if action < 0.08:
        del changed[key]
    elif action < 0.14 and isinstance(changed, dict):
        changed[_name(random, words)] = changed.pop(key)
    elif action < 0.2 and isinstance(changed, dict):
        changed[_name(random, words)] = _value(random, words)
    elif action < 0.26 and isinstance(changed, list):
        changed.insert(key, changed[key])
    elif action < 0.3:
        changed[key] = changed[random.choice(keys)]
    else:
        changed[key] = _changed(tree[key], random, words)
    return changed


def _instead(value: Any, random: Random, words: Sequence[bytes]) -> Any:
    """Another value, often one that is close."""
    choice = random.random()
    if choice < 0.4 or isinstance(value, (dict, list)):
        if choice < 0.1:
            return [value, value]
        return {_name(random, words): value} if choice < 0.2 else _value(random, words)
    if isinstance(value, str):
        return _edit(value.encode("utf-8", "replace"), random, words).decode("utf-8", "surrogateescape")
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return random.choice((-value, value + 1, value * 2**40, str(value), [value], -1))


def _value(random: Random, words: Sequence[bytes]) -> Any:
    return _word(random, words) if words and random.random() < 0.3 else random.choice(ODD)


def _name(random: Random, words: Sequence[bytes]) -> str:
    return (
        _word(random, words) if words and random.random() < 0.8 else random.choice(("", "a", "A", "0", "a.b", "\ud800"))
    )


def _word(random: Random, words: Sequence[bytes]) -> str:
    return random.choice(words).decode("utf-8", "replace")


def _edit(data: bytes, random: Random, words: Sequence[bytes]) -> bytes:
    """One change of a few bytes, or of a longer piece."""
    start = random.randint(0, len(data))
    end = min(len(data), start + random.choice((0, 1, 1, 2, 4, 16, 64)))
    choice = random.random()
    if choice < 0.2 and start < len(data):  # one bit
        return data[:start] + bytes([data[start] ^ 1 << random.randrange(8)]) + data[start + 1 :]
    if choice < 0.35:  # a piece is missing
        return data[:start] + data[end:]
    if choice < 0.5:  # a piece comes again, once or often
        piece = data[start:end]
        return data[:end] + piece * random.choice((1, 1, 2, 8, 64)) + data[end:]
    if choice < 0.6:  # a piece from elsewhere
        other = random.randint(0, len(data))
        return data[:start] + data[other : other + end - start] + data[end:]
    if choice < 0.8 and words:
        return data[:start] + random.choice(words) + data[end:]
    new = random.choice(_INTERESTING) if choice < 0.9 else random.randbytes(random.randint(1, 4))
    return data[:start] + new + data[end:]
