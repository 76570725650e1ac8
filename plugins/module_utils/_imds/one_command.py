# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program of one remote command: import modules from memory, run one of them, print one line.

Sent as text, followed by a call of main(). Python 3.6 must be able to compile it, to say that it is too old.
"""

import json
import os
import sys
from types import ModuleType

OLDEST = (3, 9)
# Two milliseconds less: this is importlib.machinery.ModuleSpec, and annotations in quotes need nothing of typing.
ModuleSpec = type(sys.__spec__)


class Sources:
    """Imports modules from their sources.

    :param sources: full name of a module -> its source; the packages around it are taken to be empty
    """

    def __init__(self, sources: "dict[str, str]") -> None:
        self.sources = sources
        self.packages = {name.rsplit(".", depth)[0] for name in sources for depth in range(1, name.count(".") + 1)}

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> object:
        if name not in self.sources and name not in self.packages:
            return None
        return ModuleSpec(name, self, is_package=name in self.packages)  # type: ignore[arg-type]

    def create_module(self, _spec: object) -> None:
        """Leave that to Python."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in self.sources:
            exec(compile(self.sources[name], f"<{name}>", "exec", dont_inherit=True), vars(module))


def main(sources: "dict[str, str]", operation: str) -> None:
    """Print the marker of the first argument and the outcome, and end the process at once.

    The second argument is JSON: the options of the operation.

    :param operation: full name of the module whose function run() is called
    """
    marker, options = sys.argv[1:]
    if sys.version_info < OLDEST:
        answer = {"declined": "Python %d.%d is too old" % sys.version_info[:2]}  # noqa: UP031
    else:
        sys.meta_path.insert(0, Sources(sources))  # type: ignore[arg-type]
        run = __import__(operation, fromlist=["run"]).run
        answer = vars(run(json.loads(options), "one_command"))
    # A line of its own, whatever the host has printed before.
    sys.stdout.write(f"\n{marker}{json.dumps(answer)}\n")
    sys.stdout.flush()
    os._exit(0)
