# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for systemd's Python library, so that modules log to a journal that the tests can read."""
