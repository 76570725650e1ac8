# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has cloud-init ask IMDS as its data source for Azure does at boot, without the rest of a boot. Prints the answer.

cloud_init.py [FILE]: with FILE, it is kept there in the shape of the instance data that ``cloud-init query`` reads.

Runs on the Python that has cloud-init, with the versions from Debian 12 (22.4) on.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def crawl() -> dict[str, Any]:
    """What IMDS says, and nothing where cloud-init finds that this is not Azure."""
    try:
        from cloudinit.sources.azure import identity, imds
    except ImportError:
        return _crawl_22_4()
    if identity.ChassisAssetTag.query_system() is None:
        return {}
    # Seconds that the data source gives IMDS.
    result: dict[str, Any] = imds.fetch_metadata_with_api_fallback(retry_deadline=time.monotonic() + 300)
    return result


def _crawl_22_4() -> dict[str, Any]:
    from cloudinit.sources import DataSourceAzure

    if not DataSourceAzure.is_platform_viable(None):
        return {}
    # The method uses nothing of its object, and an object needs a distribution that is being booted.
    result: dict[str, Any] = DataSourceAzure.DataSourceAzure.get_imds_data_with_api_fallback(None, retries=10)
    return result


def main(*files: str) -> int:
    document = crawl()
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(json.dumps({"ds": {"meta_data": {"imds": document}}}), encoding="utf-8")
    print(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
