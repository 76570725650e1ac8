# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make check`, `make test` and `make bench` do, one session a thing. `nox --list` lists them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import nox

ROOT = Path(__file__).parent
BUILD = ROOT / "build"
# `make test` runs two halves side by side, each in a copy of the tree of its own.
TREE = BUILD / os.environ.get("IMDS_TREE", "tree")
COLLECTION = TREE / "ansible_collections" / "imds" / "azure"
JUNIT = BUILD / "junit"
PYPROJECT = nox.project.load_toml("pyproject.toml")

# ansible-core -> the Python its controller part is tested with; the oldest and the newest that are supported.
CORES = {"2.19": "3.11", "2.21": "3.12"}
# ansible-core -> the Pythons that modules are tested on: all of them with the newest.
TARGET_PYTHONS = {"2.19": ("3.11",), "2.21": ("3.9", "3.10", "3.11", "3.12", "3.13")}

# What asks the kernel takes long and is the same on every Python.
KERNEL_TESTS = [f"tests/unit/plugins/plugin_utils/route_plan/test_{name}.py" for name in ("kernel", "random_tables")]

nox.needs_version = ">=2025.2.9"
nox.options.envdir = str(BUILD / "nox")
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "venv"
nox.options.stop_on_first_error = False
nox.options.error_on_missing_interpreters = False

# All that checks the code runs in the environment that nox itself stands in, so that it is installed once.
DEV = {"venv_backend": "none"}

# The halves of `make test`, about equally long.
PROJECT, ANSIBLE_TEST = "project", "ansible_test"


def prepare(session: nox.Session, *groups: str) -> None:
    """Install dependency groups, bring the copy of the tree up to date and go there."""
    if groups:
        session.install("--quiet", *nox.project.dependency_groups(PYPROJECT, *groups))
    session.run(str(ROOT / "tests" / "tools" / "copy-tree"), str(TREE), external=True, silent=True)
    JUNIT.mkdir(parents=True, exist_ok=True)
    session.chdir(COLLECTION)
    session.env["PYTHONPATH"] = str(TREE)
    session.env["ANSIBLE_COLLECTIONS_PATH"] = str(TREE)
    session.env["PYTHONDONTWRITEBYTECODE"] = "1"


def keep_junit(name: str) -> None:
    """Take ansible-test's JUnit files out of the copy: the next copy replaces them, the next run would add to them."""
    for number, file in enumerate(sorted((COLLECTION / "tests" / "output" / "junit").glob("*.xml"))):
        shutil.move(file, JUNIT / f"{name}-{number}.xml")


def note_skipped(session: nox.Session, name: str, reason: str) -> None:
    """Have the summary say what this machine can't run."""
    session.warn(f"skipped {name}: {reason}")
    case = f"<testcase name={quoteattr(name)}><skipped message={quoteattr(reason)}/></testcase>"
    (JUNIT / f"{name}.xml").write_text(f"<testsuite>{case}</testsuite>\n")


def stand_in_for_pwsh() -> Path:
    """A directory with a `pwsh` that can read argument specs, on the Python that has the grammar."""
    directory = BUILD / "stand-in"
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "pwsh"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "tests" / "tools" / "powershell.py"}" "$@"\n')
    program.chmod(0o755)
    return directory


@nox.session(**DEV, tags=["check", PROJECT])
def ruff(session: nox.Session) -> None:
    """Style of Python code."""
    prepare(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(**DEV, tags=["check", PROJECT])
def mypy(session: nox.Session) -> None:
    """Types, strictly."""
    prepare(session)
    # Two roots: the collection, and the emulator, which is a package of its own.
    session.env["MYPYPATH"] = os.pathsep.join((str(TREE), str(COLLECTION / "roles" / "azure_imds_emulator" / "files")))
    session.chdir(TREE)
    inside = "ansible_collections/imds/azure"
    tests = ("scenarios", "unit", "lab", "bench", "windows", "site", "tools")
    checked = [f"{inside}/{part}" for part in ("plugins", *(f"tests/{part}" for part in tests))]
    session.run("mypy", "--config-file", str(COLLECTION / "pyproject.toml"), *checked)
    session.run("mypy", "--config-file", str(COLLECTION / "pyproject.toml"), "-p", "azure_imds_emulator")


@nox.session(**DEV, tags=["check", PROJECT])
def unit(session: nox.Session) -> None:
    """Unit tests on the controller's Python, with coverage, on all cores."""
    prepare(session)
    coverage = ("--cov", "--cov-report=term:skip-covered", f"--cov-config={COLLECTION / 'pyproject.toml'}")
    session.run("pytest", "-q", "-n", "auto", *coverage, f"--junitxml={JUNIT / 'unit.xml'}", "tests/unit")


@nox.session(**DEV, tags=[PROJECT])
def windows(session: nox.Session) -> None:
    """The C# core under Mono against the Python core, and PowerShell read as text."""
    prepare(session)
    session.run("pytest", "-q", f"--junitxml={JUNIT / 'windows.xml'}", "tests/windows")


@nox.session(**DEV, tags=["check", PROJECT])
def docs(session: nox.Session) -> None:
    """Documentation of plugins, references, pages and changelog."""
    prepare(session)
    session.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", ".")
    session.run("antsibull-changelog", "lint")
    session.run("yamllint", ".")


@nox.session(**DEV, tags=[PROJECT])
def site(session: nox.Session) -> None:
    """Build the documentation site, offline and without a warning, and look at it in Chromium."""
    prepare(session)
    session.run("python", "-m", "tests.site.build", str(BUILD / "site"))
    session.env["IMDS_SITE"] = str(BUILD / "site" / "html")
    session.run("pytest", "-q", f"--junitxml={JUNIT / 'site.xml'}", "tests/site")


@nox.session(**DEV, tags=["check", PROJECT])
def ansible_lint(session: nox.Session) -> None:
    """ansible-lint, production profile."""
    prepare(session)
    session.run("ansible-lint", "--profile", "production", "--strict", "--offline")


@nox.session(**DEV, tags=[PROJECT])
def lab(session: nox.Session) -> None:
    """The lab's own tests, in namespaces."""
    prepare(session)
    session.run("pytest", "-q", f"--junitxml={JUNIT / 'lab.xml'}", "tests/lab")


@nox.session(**DEV, tags=[PROJECT])
def molecule(session: nox.Session) -> None:
    """All scenarios, in the lab."""
    prepare(session)
    # A place of its own, and empty: else Molecule takes what another checkout or a broken run left for ours.
    state = BUILD / "molecule"
    shutil.rmtree(state, ignore_errors=True)
    session.env["MOLECULE_EPHEMERAL_DIRECTORY"] = str(state)
    left_out: tuple[str, ...] = ()
    if os.geteuid():
        note_skipped(session, "molecule-ssh", "only root's lab has VMs with sshd")
        left_out = ("--exclude", "ssh")
    session.run("molecule", "test", "--all", "--report", *left_out)


@nox.session(tags=[ANSIBLE_TEST])
@nox.parametrize("core, python", [nox.param(core, python, id=core) for core, python in CORES.items()])
def sanity(session: nox.Session, core: str) -> None:
    """ansible-test sanity: every test, no exceptions."""
    prepare(session, f"core-{core}")
    sanity = ("ansible-test", "sanity", "--color", "no", "--local", "--python", str(session.python))
    if shutil.which("pwsh"):
        session.run(*sanity)
        return
    # validate-modules ends at the first .ps1 module where there is no pwsh; the Windows guide says what stands in.
    session.run(*sanity, "--skip-test", "validate-modules")
    session.env["PATH"] = os.pathsep.join((str(stand_in_for_pwsh()), session.bin, os.environ["PATH"]))
    session.run(*sanity, "--test", "validate-modules")


@nox.session(tags=[ANSIBLE_TEST])
@nox.parametrize("core, python", [nox.param(core, python, id=core) for core, python in CORES.items()])
def units(session: nox.Session, core: str) -> None:
    """ansible-test units of all plugins, on the Pythons that a target may run."""
    prepare(session, f"core-{core}")
    for number, version in enumerate(TARGET_PYTHONS[core]):
        if not shutil.which(f"python{version}"):
            note_skipped(session, f"units-{core}-{version}", f"Python {version} is not installed")
            continue
        left_out = [word for test in KERNEL_TESTS for word in ("--exclude", test)] if number else []
        session.run(
            "ansible-test", "units", "--color", "no", "--venv", "--python", version, *left_out, "tests/unit/plugins/"
        )
        keep_junit(f"units-{core}-{version}")


@nox.session(tags=[ANSIBLE_TEST])
@nox.parametrize("core, python", [nox.param(core, python, id=core) for core, python in CORES.items()])
def integration(session: nox.Session, core: str) -> None:
    """ansible-test integration, modules run on the oldest target Python."""
    prepare(session, f"core-{core}")
    session.run("ansible-test", "integration", "--color", "no", "--venv", "--python", "3.9")
    keep_junit(f"integration-{core}")


@nox.session(python=CORES["2.21"], tags=[ANSIBLE_TEST])
def galaxy(session: nox.Session) -> None:
    """Build the collection and import it as Galaxy does, without a warning."""
    prepare(session, "core-2.21", "importer")
    session.run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILD / "dist"))
    session.env["GALAXY_IMPORTER_CONFIG"] = str(COLLECTION / "tests" / "tools" / "galaxy-importer.cfg")
    (archive,) = (BUILD / "dist").glob("imds-azure-*.tar.gz")
    output = str(session.run("python", "-m", "galaxy_importer.main", str(archive), silent=True))
    session.log(output)
    if "WARNING" in output or "ERROR" in output:
        session.error("galaxy-importer has something to say")


@nox.session(**DEV, default=False)
def bench(session: nox.Session) -> None:
    """The benchmark: ratios of one run, medians."""
    prepare(session)
    session.run("python", "-m", "tests.bench", str(BUILD / "bench.json"), *session.posargs)


if __name__ == "__main__":
    os.execvp("nox", ["nox"])
