# Copyright: (c) 2026, imds.azure contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of azure_imds_attest: check the options, draw the nonce, verify what the host hands back.

The host is not trusted. Of what its module returns, only the evidence is used, and that is verified; where it
returns none, its reason code and its message are reported as a failure.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.imds.azure.plugins.module_utils import _attest
from ansible_collections.imds.azure.plugins.module_utils._imds import options as imds_options
from ansible_collections.imds.azure.plugins.module_utils._imds import reasons as imds_reasons
from ansible_collections.imds.azure.plugins.module_utils._module import argument_spec as imds_argument_spec
from ansible_collections.imds.azure.plugins.plugin_utils import _action_base, _quick_module
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.anchors import Sources, load_sources
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.dependencies import DependencyError
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.evidence import open_evidence, store
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.evidence_file import (
    check_destination,
    may_be_path,
    read_text,
    write_evidence,
)
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.host_report import HostReport, ask
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.policy import (
    NONCE_RETRIES,
    Policy,
    build_policy,
    draw_nonce,
)
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.reasons import REASONS, OptionError
from ansible_collections.imds.azure.plugins.plugin_utils._attestation.verify import Verdict, verify
from ansible_collections.imds.azure.plugins.plugin_utils._payload import pack
from ansible_collections.imds.azure.plugins.plugin_utils._task_options import unknown_options

MODULE = "imds.azure.azure_imds_attest"
OPERATION = "_imds.run_attest"
pack(OPERATION)  # here, because this file is imported once, but each task has a process of its own
POLICY_OPTIONS = (
    "clouds",
    "expected_vm_id",
    "expected_subscription_id",
    "expected_sku",
    "expected_license_type",
    "expected_plan",
    "max_age",
    "clock_skew",
    "verify_at",
)
# Null would leave these out, and with them what the task is there for: more likely a variable is empty by mistake.
NEVER_NULL = (*(name for name in POLICY_OPTIONS if name.startswith("expected_")), "document")
IMDS_CODES = tuple(code for code in imds_reasons.REASONS if code != "ok")
# What a stored file keeps of a result, beside the evidence and the certificates.
STORED_RESULT = (
    "verified",
    "reason",
    "verified_at",
    "verified_at_source",
    "verified_on",
    "nonce",
    "nonce_verified",
    "identity_bound",
    "revocation_checked",
    "cloud",
    "document",
    "signer",
    "chain",
)


class ActionModule(ActionBase):  # type: ignore[misc]
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        unknown = unknown_options(self._task.args, _attest.argument_spec(), MODULE)
        if unknown:
            raise AnsibleActionFail(unknown)
        _validation, options = self.validate_argument_spec(_attest.argument_spec())
        nonces = [options["nonce"]]
        if options["nonce"] is None and options["document"] is None:
            nonces = [draw_nonce() for _try in range(1 + NONCE_RETRIES)]
        try:
            policy, sources = self._check(options, nonces[0])
            dest = self._destination(options["dest"])
            document = self._document(options["document"])
        except (OptionError, imds_options.OptionError, DependencyError) as error:
            raise AnsibleActionFail(str(error)) from None
        if policy.stored:
            result = _result(verify(document, policy, sources), policy)
            answer = _answer(document) if result["verified"] else None
        else:
            result, answer = self._challenge(options, nonces, policy, sources, task_vars)
        return self._keep(result, answer, dest) if dest and answer and result["verified"] else result

    def _check(self, options: dict[str, Any], nonce: str | None) -> tuple[Policy, Sources]:
        """What the options say. Nobody is asked anything.

        :raises OptionError: an option cannot be used.
        :raises DependencyError: the controller lacks a library.
        """
        for name in NEVER_NULL:
            if name in self._task.args and options[name] is None:
                raise OptionError(name, "is null. Give a value, or leave the option out if nothing is expected.")
        imds_options.settings(options)
        policy = build_policy(
            stored=options["document"] is not None, nonce=nonce, **{name: options[name] for name in POLICY_OPTIONS}
        )
        sources = load_sources(
            anchors=self._files("anchors", options),
            builtin_anchors=options["builtin_anchors"],
            intermediates=self._files("intermediates", options),
            fetch_intermediates=options["fetch_intermediates"],
            cache_dir=options["cache_dir"] or default_cache_dir(os.environ),
        )
        return policy, sources

    def _files(self, option: str, options: dict[str, Any]) -> list[str]:
        """Where the files lie; relative ones are looked for as ansible.builtin.copy does, next to role or playbook."""
        found = []
        for path in options[option] or ():
            try:
                found.append(self._find_needle("files", path))
            except AnsibleError:
                raise OptionError(option, f"{path} is not on the controller, neither there nor in files.") from None
        return found

    def _document(self, document: Any) -> Any:
        """The stored evidence, read from the file if that is what the option names.

        :raises OptionError: the file cannot be read.
        """
        if not may_be_path(document):
            return document
        try:
            path = self._find_needle("files", document)
        except AnsibleError:
            return document
        return read_text(path)

    def _destination(self, dest: str | None) -> Path | None:
        """Where to store the evidence; a relative path is taken as by ansible.builtin.fetch.

        :raises OptionError: nothing can be written there.
        """
        if dest is None:
            return None
        path = Path(self._loader.path_dwim(dest))
        check_destination(path)
        return path

    def _keep(self, result: dict[str, Any], answer: dict[str, str], dest: Path) -> dict[str, Any]:
        """Store the evidence, except in check mode."""
        verdict = {name: result[name] for name in STORED_RESULT}
        if not self._task.check_mode:
            try:
                write_evidence(dest, store(answer, result["chain_pem"], verdict))
            except OptionError as error:
                return {**result, "failed": True, "msg": f"The document is verified, but could not be stored. {error}"}
        return {**result, "changed": True, "dest": str(dest)}

    def _challenge(
        self,
        options: dict[str, Any],
        nonces: list[str],
        policy: Policy,
        sources: Sources,
        task_vars: dict[str, Any] | None,
    ) -> tuple[dict[str, Any], dict[str, str] | None]:
        """Ask the host with one nonce after the other, as long as it answers another one: the result and the answer."""
        arguments = {name: options[name] for name in imds_argument_spec()}
        # Whoever names the twin means the twin, whatever the connection would choose.
        module = f"{MODULE}_windows" if self._task.action.endswith("_windows") else MODULE
        attempts: list[dict[str, Any]] = []
        warnings: list[str] = []
        meta: dict[str, str] = {}
        result: dict[str, Any] = {}
        report = HostReport()
        for nonce in nonces:
            policy = policy._replace(nonce=nonce)
            fetch = functools.partial(self._fetch, module, {**arguments, "nonce": nonce}, task_vars or {}, meta)
            report = ask(fetch, IMDS_CODES, AnsibleError)
            attempts += report.attempts
            warnings += report.warnings
            if report.failure is not None:
                result = _no_answer(report, policy, attempts)
                break
            verdict = verify(report.evidence, policy, sources)
            result = _result(verdict, policy, evidence=report.answer, api_version=report.api_version, attempts=attempts)
            if report.message:
                result["warnings"].append(f"What the host's module returned cannot be read: {report.message}")
            if verdict.reason != "nonce_mismatch":
                break
        if warnings:
            result["warnings"] = [*result.get("warnings", []), *warnings]
        result["meta"] = meta
        return result, None if report.failure is not None else report.answer

    def _fetch(
        self, module: str, arguments: dict[str, Any], task_vars: dict[str, Any], meta: dict[str, str]
    ) -> dict[str, Any]:
        """What the host returns, by the shortest way there is to it.

        :param meta: is told which way that was
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        run_module = functools.partial(_action_base.run_module, self, task_vars, module, given)
        result, meta["delivery"] = _quick_module.deliver(self, OPERATION, arguments, task_vars, run_module)
        return result


def default_cache_dir(environment: Mapping[str, str]) -> str | None:
    """Where fetched CA certificates are kept for this user; None where the user has no such place."""
    base = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "imds.azure", "intermediates") if os.path.isabs(base) else None


def _answer(document: Any) -> dict[str, str]:
    """IMDS' answer in stored evidence that was verified."""
    blob = open_evidence(document, stored=True).blob
    return {"encoding": "pkcs7", "signature": base64.b64encode(blob).decode("ascii")}


def _result(verdict: Verdict, policy: Policy, **fetched: Any) -> dict[str, Any]:
    """The task's result. What was read of a document that is refused stands in ``unverified`` and nowhere else."""
    result = {**dataclasses.asdict(verdict), **fetched, **_always(policy)}
    message, details = result.pop("message"), result.pop("details")
    if verdict.verified:
        return {**result, "msg": message}
    result["unverified"]["details"] = details
    meaning = REASONS[verdict.reason].meaning
    return {**result, "failed": True, "msg": f"{verdict.reason}: {meaning} ({message}) {verdict.remedy}"}


def _no_answer(report: HostReport, policy: Policy, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """The host handed back no document: for a reason of IMDS, or because its module did not run at all."""
    if not report.failure:
        words = {"msg": "The module failed on the host without a reason.", **report.ansible}
        return {"changed": False, "failed": True, **words}
    reason = imds_reasons.REASONS[report.failure]
    nothing = Verdict(False, reason.code, "request", "", reason.remedy, "")
    result = {**dataclasses.asdict(nothing), **_always(policy), "attempts": attempts, "failed": True}
    del result["message"], result["details"], result["verified_at"], result["verified_at_source"]
    return {**result, "msg": report.message or f"No attested document: {reason.meaning} {reason.remedy}"}


def _always(policy: Policy) -> dict[str, Any]:
    return {"changed": False, "nonce": policy.nonce, "verified_on": platform.node()}
