# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where errors that a host can provoke are caught.

What a host hands back may be anything, and the libraries that read it raise more than they document. Whatever happens
in :func:`untrusted` becomes a refusal or an :class:`UnreadableError`, never an exception that ends the task.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .reasons import Refusal


class UnreadableError(ValueError):
    """What a host chose cannot be read. The text names the error underneath."""


@contextmanager
def untrusted(*passed: type[Exception]) -> Iterator[None]:
    """Run code over data that a host chose. Warnings about that data are dropped.

    :param passed: errors that are not the host's doing.
    :raises Refusal: as it was raised inside; the same goes for errors in ``passed``.
    :raises UnreadableError: anything else that was raised inside.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception as error:
            if isinstance(error, (Refusal, UnreadableError, *passed)):
                raise
            raise UnreadableError(f"{type(error).__name__}: {error}") from error
        except BaseException as error:
            # A panic of cryptography's Rust code is no Exception; neither is a task's timeout, which must get through.
            if type(error).__name__ != "PanicException":
                raise
            raise UnreadableError(f"{type(error).__name__}: {error}") from error
