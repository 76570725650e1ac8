# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The C# core as a process that answers calls, and what of two results has to be the same."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Callable

from ansible_collections.imds.azure.plugins.module_utils._imds.transport import TransportError
from ansible_collections.imds.azure.tests.scenarios.imds.world import ADDRESS, ScriptedAnswer

UTILS = Path(__file__).parents[2] / "plugins" / "module_utils"
HARNESS = Path(__file__).with_name("harness")

# What Windows PowerShell 5.1 compiles, as strictly as Ansible has it compiled.
COMPILE = ("mcs", "-langversion:5", "-warnaserror", "-warn:4")

# No call takes longer, unless something hangs.
LONGEST_CALL = 60.0


def missing() -> str | None:
    """Why the C# core can't be run here, or None."""
    absent = [name for name in ("mcs", "mono") if not shutil.which(name)]
    return f"{' and '.join(absent)} not found: the C# core is not executed" if absent else None


def sources() -> list[Path]:
    return sorted(UTILS.glob("_Imds*.cs"))


def compile_core(directory: Path) -> None:
    """The core alone, with what Ansible gives it: no more assemblies than these on Windows PowerShell."""
    references = ("-noconfig", "-r:System.dll", "-r:System.Core.dll")
    _run([*COMPILE, *references, "-t:library", f"-out:{directory / 'core.dll'}", *map(str, sources())])


def compile_harness(directory: Path) -> Path:
    """The harness with the core in it, as a program for Mono."""
    program = directory / "harness.exe"
    files = [*sorted(HARNESS.glob("*.cs")), *sources()]
    _run([*COMPILE, f"-out:{program}", "-r:System.Web.Extensions.dll", *map(str, files)])
    return program


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Core:
    """Context manager. One process for all calls."""

    def __init__(self, program: Path, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            ["mono", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment) if environment is not None else None,
            encoding="utf-8",
        )

    def __enter__(self) -> Core:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._process:
            if self._process.stdin:
                self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def __call__(self, call: str, asked: Callable[[Any], Any] = lambda _request: None, **arguments: Any) -> Any:
        """The result of one of the harness' calls; an exception that the core lets through fails the test.

        :param asked: answers what the core asks in the middle of it
        """
        watch = threading.Timer(LONGEST_CALL, self._process.kill)
        watch.start()
        try:
            answer = self._exchange({"call": call, **arguments})
            while "ask" in answer:
                answer = self._exchange(asked(answer["ask"]))
        finally:
            watch.cancel()
        assert "exception" not in answer, answer["exception"]
        return answer["result"]

    def _exchange(self, message: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"{message}: the process ended, or took longer than {LONGEST_CALL} s"
        return json.loads(line)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def as_scripted(answer: ScriptedAnswer) -> dict[str, Any]:
    """An answer as the harness takes it."""
    result, after = answer
    common = {"after": after, "address": ADDRESS, "local_address": result.local_address, "peer": result.peer}
    if isinstance(result, TransportError):
        return {**common, "kind": result.kind, "detail": str(result), "silent": result.silent}
    return {**common, "status": result.status, "headers": result.headers, "body": encoded(result.body)}


# In each core's own words, or with its own times.
_OWN_WORDS: Iterable[tuple[re.Pattern[str], str]] = (
    (re.compile(r"the answer is (not JSON: |nested deeper ).*", re.DOTALL), "the answer is not usable JSON"),
    (re.compile(r"within [0-9.e+-]+ s"), "within some s"),
    (re.compile(r"(SMBIOS enclosure|/\S+/chassis_asset_tag) cannot be read"), "the tag cannot be read"),
)
_TINY = 1e-300
_OWN_KEYS = {"elapsed", "collected_at", "source"}


def _number(value: float) -> float:
    """Mono, like .NET Framework, reads some fractions a bit too large or too small; and it writes 1.0 as 1."""
    if value == int(value) and abs(value) < 2**53:
        return int(value)
    return float(f"{value:.12g}") if abs(value) > _TINY else 0.0


def comparable(value: Any) -> Any:
    """A result without what may differ: times, where the tag was read, how a parser calls an error, the last bits."""
    if isinstance(value, dict):
        return {key: comparable(inner) for key, inner in value.items() if key not in _OWN_KEYS}
    if isinstance(value, (list, tuple)):
        return [comparable(inner) for inner in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, str):
        for pattern, words in _OWN_WORDS:
            value = pattern.sub(words, value)
    return value
