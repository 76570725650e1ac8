# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation site offline, looks at it in a browser, and does what the guides say."""
