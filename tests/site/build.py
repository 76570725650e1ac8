# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the site; every warning is an error. Nothing is fetched.

python -m tests.site.build DIRECTORY
    The pages are in DIRECTORY/html. The collection is the one that Ansible finds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import inventory

CONFIGURATION = Path(__file__).parents[2] / "docs" / "docsite"
COLLECTION = "imds.azure"
# Ansible looks these names up by itself on Windows hosts; no playbook uses them, and no page links to theirs.
UNUSED_REDIRECTS = "*.ps1_module.rst"


def build(directory: Path) -> Path:
    """Build the site in a directory, which is emptied first.

    :returns: the directory with the HTML pages
    :raises subprocess.CalledProcessError: if antsibull-docs or Sphinx had something to say
    """
    shutil.rmtree(directory, ignore_errors=True)
    sources = directory / "rst"
    # antsibull-docs writes only where nobody else can.
    sources.mkdir(mode=0o755, parents=True)
    inventory.write(directory / "ansible.inv")
    generate = ("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error")
    subprocess.run([*generate, "--dest-dir", str(sources), COLLECTION], check=True)
    for page in (*sources.glob(UNUSED_REDIRECTS), sources / "environment_variables.rst"):
        page.unlink()
    pages = directory / "html"
    environment = {**os.environ, "IMDS_SITE_INVENTORY": str(directory / "ansible.inv")}
    strict = ("sphinx-build", "-q", "-b", "html", "--fail-on-warning", "--keep-going")
    subprocess.run(
        [*strict, "-c", str(CONFIGURATION), "-d", str(directory / "doctrees"), str(sources), str(pages)],
        check=True,
        env=environment,
    )
    return pages


if __name__ == "__main__":
    try:
        print(f"The site is {build(Path(sys.argv[1]).resolve()) / 'index.html'}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} ended with status {error.returncode}")
