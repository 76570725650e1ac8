# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools: how each is got, asked for the metadata of its VM, and made to believe that it is where it is.

Words in braces are programs and paths, see `measuring`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .install import Programs, cloud_init, on_path, venv

URL = "http://169.254.169.254/metadata/instance?api-version=2025-04-07"
HOST, MODULE = "command", "module"

Command = Sequence[str]


@dataclass(frozen=True)
class Tool:
    """One row.

    name: as the table has it.
    group: what it is compared within.
    install: see `install`.
    command: asks for the metadata.
    version, pattern: a command, and what of its output is the version.
    evidence: commands that make a VM look to this tool like one on Azure, as far as the firmware does not.
    setup: commands that are needed on every VM.
    ec2: whether it asks EC2's service.
    baseline: whether the others of its group are compared with it.
    stated: why it meets nothing that goes wrong.
    """

    name: str
    group: str
    install: Callable[[Path], Programs]
    command: Command
    version: Command
    pattern: str = r"\d+(?:\.\d+)+"
    evidence: Sequence[Command] = ()
    setup: Sequence[Command] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ec2: bool = False
    baseline: bool = False
    stated: str = ""


_LOCAL = ("--inventory", "localhost,", "--connection", "local", "--extra-vars", "ansible_python_interpreter={python}")
_ANSIBLE = ("{ansible}/ansible", "localhost", *_LOCAL)
_OURS = {"ANSIBLE_COLLECTIONS_PATH": "{collections}"}
_ansible = venv("ansible", "ansible")
_OUR_VERSION = ("grep", "^version:", "{collection}/galaxy.yml")
_CORE_VERSION = ("{ansible}/ansible", "--version")


def _module(name: str, options: Mapping[str, Any], variables: Mapping[str, Any] | None = None) -> Command:
    words = ["--module-name", name]
    if options:
        words += ["--args", json.dumps(options)]
    if variables:
        words += ["--extra-vars", json.dumps(variables)]
    # Braces of JSON are no placeholders.
    return (*_ANSIBLE, *(word.replace("{", "{{").replace("}", "}}") for word in words))


_FACT_SCRIPT = "/etc/ansible/facts.d/azure_imds.fact"
_CACHE, _BOOTED = "/run/cloud-init/instance-data", "/var/lib/cloud/instance"
_CRAWL = ("{python}", "{here}/cloud_init.py")
_CLOUD_INIT = {"PYTHONPATH": "{cloud-init-modules}"}
_SALT = ("{salt}/salt-call", "--local", "--config-dir", "{here}/salt", "--log-level", "quiet")
_URI = {"url": URL, "headers": {"Metadata": "true"}, "return_content": True}

TOOLS: Sequence[Tool] = (
    Tool(
        name="``curl`` with ``jq``",
        group=HOST,
        install=on_path("curl", "jq"),
        command=("sh", "-c", f"curl -s -H Metadata:true --noproxy '*' '{URL}' | jq ."),
        version=("curl", "--version"),
    ),
    Tool(
        name="Facter, ``az_metadata``",
        group=HOST,
        install=on_path("facter"),
        command=("{facter}", "--json", "az_metadata"),
        version=("{facter}", "--version"),
    ),
    Tool(
        name="Ohai, ``azure``",
        group=HOST,
        install=on_path("ohai"),
        command=("{ohai}", "azure"),
        version=("{ohai}", "--version"),
        evidence=(("touch", "/usr/sbin/waagent"),),
    ),
    Tool(
        name="Salt, ``metadata_server_grains`` on EC2",
        group=HOST,
        # Neither 3007 nor 3008 has grains of Azure, 3008 has none of EC2 either, and 3007 needs an older Python.
        install=venv("salt", "salt<3008", pythons=("python3.11", "python3.10")),
        command=(*_SALT, "--out", "json", "grains.item", "meta-data"),
        version=("{salt}/salt-call", "--version"),
        ec2=True,
    ),
    Tool(
        name="cloud-init, IMDS client of the data source Azure",
        group=HOST,
        install=cloud_init,
        command=_CRAWL,
        version=("{python}", "{cloud-init}", "--version"),
        environment=_CLOUD_INIT,
    ),
    Tool(
        name="``cloud-init query``",
        group=HOST,
        install=cloud_init,
        command=("{python}", "{cloud-init}", "query", "ds.meta_data.imds.compute"),
        version=("{python}", "{cloud-init}", "--version"),
        evidence=(
            (*_CRAWL, f"{_CACHE}-sensitive.json", f"{_CACHE}.json"),
            ("mkdir", "-p", _BOOTED),
            ("touch", f"{_BOOTED}/user-data.txt", f"{_BOOTED}/vendor-data.txt"),
        ),
        environment=_CLOUD_INIT,
        stated="asks nobody: prints what cloud-init kept at boot",
    ),
    Tool(
        name="``azure_imds.fact``, the local fact script of this collection",
        group=HOST,
        install=_ansible,
        command=(_FACT_SCRIPT,),
        version=_OUR_VERSION,
        setup=(_module("imds.azure.azure_imds_local_facts", {}),),
        environment=_OURS,
        baseline=True,
    ),
    Tool(
        name="``ansible.builtin.ping``, which asks nobody",
        group=MODULE,
        install=_ansible,
        command=_module("ansible.builtin.ping", {}),
        version=_CORE_VERSION,
        stated="asks nobody",
    ),
    Tool(
        name="``ansible.builtin.uri``",
        group=MODULE,
        install=_ansible,
        command=_module("ansible.builtin.uri", _URI),
        version=_CORE_VERSION,
    ),
    Tool(
        name="``ansible.builtin.uri`` with ``use_proxy: false``",
        group=MODULE,
        install=_ansible,
        command=_module("ansible.builtin.uri", {**_URI, "use_proxy": False}),
        version=_CORE_VERSION,
    ),
    Tool(
        name="``amazon.aws.ec2_metadata_facts``, on EC2",
        group=MODULE,
        install=_ansible,
        command=_module("amazon.aws.ec2_metadata_facts", {}),
        version=("{ansible}/ansible-galaxy", "collection", "list", "amazon.aws"),
        pattern=r"(?m)^amazon\.aws +(\S+)",
        ec2=True,
    ),
    Tool(
        name="``imds.azure.azure_imds_facts``, run by ``gather_facts``",
        group=MODULE,
        install=_ansible,
        command=_module("ansible.builtin.gather_facts", {}, {"ansible_facts_modules": ["imds.azure.azure_imds_facts"]}),
        version=_OUR_VERSION,
        environment=_OURS,
    ),
    Tool(
        name="``imds.azure.azure_imds_facts``, as a task",
        group=MODULE,
        install=_ansible,
        command=_module("imds.azure.azure_imds_facts", {}),
        version=_OUR_VERSION,
        environment=_OURS,
        baseline=True,
    ),
)
