# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host states and models of hosts that several test suites share. Nothing in here is a test."""
