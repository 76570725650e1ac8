# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resident watcher of scheduled events. Installed by the role imds.azure.azure_imds_event_watcher."""

import sys

from ansible_collections.imds.azure.plugins.module_utils._watcher.main import main
from command_run import Run

sys.exit(main(sys.argv[1:], Run))
