# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx configuration of the documentation site. `nox -s site` builds it."""

from __future__ import annotations

import os

project = "imds.azure"
copyright = "imds.azure contributors"  # noqa: A001 (Sphinx wants this name)
html_title = "imds.azure: Azure Instance Metadata Service for Ansible"
html_short_title = "imds.azure"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
nitpicky = True
default_role = "any"
pygments_style = "ansible"
highlight_language = "YAML+Jinja"

# References to Ansible's own documentation. Without IMDS_SITE_INVENTORY, a file, Sphinx fetches the list of its pages.
intersphinx_mapping = {
    "ansible": ("https://docs.ansible.com/projects/ansible/latest/", os.environ.get("IMDS_SITE_INVENTORY")),
}

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "documentation_home_url": "https://github.com/imds/azure",
    "topbar_links": {
        "Source": "https://github.com/imds/azure",
        "Issues": "https://github.com/imds/azure/issues",
        "Ansible": "https://docs.ansible.com/",
    },
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
