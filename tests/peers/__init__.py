# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other tools that read cloud metadata beside ours, measured in the lab."""
