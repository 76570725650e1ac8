# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Azure Key Vault: it shows secrets to who has a token of the emulator's and the right to read them."""
