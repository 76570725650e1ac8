# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the tables that the Python code holds into the other languages that need them."""
