# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make check`, `make test`, `make cores`, `make bench` and `make fuzz` do, one session per thing.

`nox --list` lists them.

A new session needs a docstring and one of the decorators below: ``@check`` for what is fast, ``@long_test`` for what
takes minutes, ``@test`` for the rest.
The standard sessions of antsibull-nox are configured in antsibull-nox.toml.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

import antsibull_nox
import nox

ROOT = Path(__file__).parent
BUILD = ROOT / "build"
# Sessions that run side by side each have their own copy of the tree.
TREE = BUILD / os.environ.get("IMDS_TREE", "tree")
COLLECTION = TREE / "ansible_collections" / "imds" / "azure"
JUNIT = BUILD / "junit"
PYPROJECT = nox.project.load_toml("pyproject.toml")

# ansible-core -> the Pythons its controller side runs on. The first one that is installed is used.
CORES = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
OLDEST, NEWEST = min(CORES, key=lambda core: int(core[2:])), max(CORES, key=lambda core: int(core[2:]))
# The oldest Python on hosts.
OLDEST_TARGET = "3.9"
# ansible-core -> the Pythons that ansible-test's unit tests run on. Together they are every one that hosts may have.
UNIT_PYTHONS = {OLDEST: ("3.10",), NEWEST: (OLDEST_TARGET, "3.11", "3.12", "3.13")}

# These ask the kernel, which takes long and is the same on every Python: a session of their own runs them once.
KERNEL_TESTS = [f"tests/unit/plugins/plugin_utils/route_plan/test_{name}.py" for name in ("kernel", "random_tables")]

# These start Ansible or many other processes, one after the other.
SLOW_TESTS = [
    "tests/unit/roles",
    *(f"tests/unit/emulator/test_{name}.py" for name in ("attest_playbook", "command", "deliveries_agree")),
    *(f"tests/unit/plugins/test_{name}.py" for name in ("module_defaults", "routing")),
    "tests/unit/plugins/action/test_azure_imds_route_fix.py",
    "tests/unit/plugins/module_utils/routes/test_persist.py",
    "tests/unit/tools/test_generate.py",
]

nox.needs_version = ">=2025.2.9"
nox.options.envdir = str(BUILD / "nox")
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "venv"
nox.options.stop_on_first_error = False
nox.options.error_on_missing_interpreters = False

antsibull_nox.load_antsibull_nox_toml()

# Most sessions run in the environment that nox itself is installed in, so that it is made once.
_IN_PLACE = {"venv_backend": "none"}
check = nox.session(**_IN_PLACE, tags=["check", "test"])
test = nox.session(**_IN_PLACE, tags=["test"])
# These take minutes, and so start before those that don't.
long_test = nox.session(**_IN_PLACE, tags=["test", "long"])
# A further tag names what only one session at a time may use. ansible-test shares its environments for sanity tests
# among cores, and integration targets listen on ports.
sanity_test = nox.session(**_IN_PLACE, tags=["sanity-environments"])
unit_test = nox.session(**_IN_PLACE, tags=["unit-environments"])
integration_test = nox.session(**_IN_PLACE, tags=["integration-ports"])
# What differs among cores differs most at both ends: those between have a make target of their own.
every_core = nox.parametrize(
    "core", [nox.param(core, id=core, tags=["test" if core in (OLDEST, NEWEST) else "cores"]) for core in CORES]
)
# The session unit runs on the newest Python. What breaks on any breaks on the oldest or the newest, as a rule.
every_unit_python = nox.parametrize(
    ("core", "python"),
    [
        nox.param(core, python, id=f"{core}-{python}", tags=["test" if python == pythons[0] else "cores"])
        for core, pythons in UNIT_PYTHONS.items()
        for python in pythons
    ],
)


def prepare(session: nox.Session) -> None:
    """Bring the copy of the tree up to date and go there."""
    session.run(str(ROOT / "tests" / "tools" / "copy-tree"), str(TREE), external=True, silent=True)
    JUNIT.mkdir(parents=True, exist_ok=True)
    session.chdir(COLLECTION)
    session.env["PYTHONPATH"] = str(TREE)
    session.env["ANSIBLE_COLLECTIONS_PATH"] = str(TREE)
    session.env["PYTHONDONTWRITEBYTECODE"] = "1"
    # As by default in ansible-core 2.24; ansible-test reads tests/integration/integration.cfg instead.
    session.env["ANSIBLE_INJECT_FACT_VARS"] = "false"


def prepare_core(session: nox.Session, core: str) -> tuple[str, Path]:
    """The same, and an environment with that ansible-core, which its sessions share: its Python's version, its bin."""
    prepare(session)
    python = controller_python(session, core)
    return python, environment(session, f"core-{core}", python)


def controller_python(session: nox.Session, core: str) -> str:
    """The version of an installed Python that the core's controller side runs on; the session is skipped without."""
    python = next((version for version in CORES[core] if shutil.which(f"python{version}")), "")
    if not python:
        reason = f"ansible-core {core} needs Python {' or '.join(CORES[core])}, and none is installed"
        note_skipped(session, session.name, reason)
        session.skip(reason)
    return python


def environment(session: nox.Session, group: str, python: str) -> Path:
    """Put an environment with that dependency group first on PATH; it is made where it is not there yet. Its bin."""
    directory = BUILD / "nox" / group
    requirements = nox.project.dependency_groups(PYPROJECT, group)
    ready, wanted = directory / ".ready", f"{python} {' '.join(requirements)}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Another session may be about to make it too.
    with Path(f"{directory}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = ready.is_file() and (directory / "bin" / "python").exists()
        if not whole or ready.read_text() != wanted:
            session.run(f"python{python}", "-m", "venv", "--clear", str(directory), external=True)
            pip = (str(directory / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
            session.run(*pip, "install", "--quiet", *requirements, external=True)
            ready.write_text(wanted)
    session.env["PATH"] = os.pathsep.join((str(directory / "bin"), os.environ["PATH"]))
    return directory / "bin"


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest on the controller's Python, with a JUnit file named like the session."""
    report = JUNIT / f"{session.name.replace('_', '-')}.xml"
    session.run(sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments)


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


def has_script_analyzer(session: nox.Session) -> bool:
    """Whether PowerShell has what the sanity test pslint needs; without it, pslint ends with an error."""
    find = "(Get-Module -ListAvailable PSScriptAnalyzer).Name"
    found = session.run("pwsh", "-NoProfile", "-NonInteractive", "-Command", find, silent=True, external=True)
    return "PSScriptAnalyzer" in str(found)


@nox.session(
    venv_backend="none",
    tags=["check", "test"],
    requires=["yamllint", "docs-check", "license-check", "extra-checks", "antsibull-nox-config"],
)
def standard(session: nox.Session) -> None:
    """The standard sessions of antsibull-nox that change no file: YAML, documentation, licences, unwanted files."""
    session.log("done by the sessions that this one requires")


@check
def ruff(session: nox.Session) -> None:
    """Style of Python code. `nox -s formatters` puts it right."""
    prepare(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@check
def mypy(session: nox.Session) -> None:
    """Types, strictly."""
    prepare(session)
    # The collection, and what roles bring to hosts: the emulator, which is a package, and the program of the watcher.
    roles = COLLECTION / "roles"
    roots = (TREE, roles / "azure_imds_emulator" / "files", roles / "azure_imds_event_watcher" / "files" / "linux")
    session.env["MYPYPATH"] = os.pathsep.join(map(str, roots))
    session.chdir(TREE)
    inside = "ansible_collections/imds/azure"
    tests = ["scenarios", "unit", "faults", "fuzz", "lab", "endurance", "windows", "powershell", "rulebook", "leaks"]
    tests += ["bench", "scale", "peers", "site", "tools"]
    checked = [f"{inside}/{part}" for part in ("plugins", "extensions/eda", *(f"tests/{part}" for part in tests))]
    command = ("mypy", "--config-file", str(COLLECTION / "pyproject.toml"), "--cache-dir", str(BUILD / "mypy"))
    session.run(*command, *checked)
    session.run(*command, "-p", "azure_imds_emulator", "-m", "command_run", "-m", "__main__")


@check
def generated(session: nox.Session) -> None:
    """What `make generate` writes is up to date."""
    prepare(session)
    session.run("python", "-m", "ansible_collections.imds.azure.tests.tools.generate", "--check", str(COLLECTION))


@check
def unit(session: nox.Session) -> None:
    """Unit tests on the controller's Python, on all processors, but for the slow ones."""
    prepare(session)
    left_out = [f"--ignore={test}" for test in (*KERNEL_TESTS, *SLOW_TESTS)]
    run_pytest(session, "-n", "auto", *left_out, "tests/unit")


@test
def unit_slow(session: nox.Session) -> None:
    """Unit tests that start Ansible or many other processes."""
    prepare(session)
    run_pytest(session, "-n", "auto", *SLOW_TESTS)


@nox.session(**_IN_PLACE, default=False)
def coverage(session: nox.Session) -> None:
    """How much of the code the unit tests run."""
    prepare(session)
    report = ("--cov", "--cov-report=term:skip-covered", f"--cov-config={COLLECTION / 'pyproject.toml'}")
    session.run("pytest", "-q", "-n", "auto", *report, *(f"--ignore={test}" for test in KERNEL_TESTS), "tests/unit")


@check
def changelog(session: nox.Session) -> None:
    """Changelog fragments."""
    prepare(session)
    session.run("antsibull-changelog", "lint")


@test
def kernel(session: nox.Session) -> None:
    """The verdicts on routes against the kernel's, over many random tables."""
    prepare(session)
    run_pytest(session, *KERNEL_TESTS)


@test
def site(session: nox.Session) -> None:
    """Build the documentation site offline without a warning, look at it in Chromium, and follow its guides."""
    prepare(session)
    session.run("python", "-m", "tests.site.build", str(BUILD / "site"))
    session.env["IMDS_SITE"] = str(BUILD / "site" / "html")
    run_pytest(session, "tests/site")


@check
def ansible_lint(session: nox.Session) -> None:
    """ansible-lint, production profile."""
    prepare(session)
    session.run("ansible-lint", "--profile", "production", "--strict", "--offline")


@long_test
def windows(session: nox.Session) -> None:
    """The C# core under Mono against the Python core, and PowerShell read as text."""
    prepare(session)
    run_pytest(session, "tests/windows")


@long_test
def powershell(session: nox.Session) -> None:
    """The Windows modules under a real PowerShell, through Ansible too, with stand-in networking cmdlets."""
    prepare(session)
    run_pytest(session, "tests/powershell")


@test
def rulebook(session: nox.Session) -> None:
    """The event source and the rulebooks under ansible-rulebook, which needs Java."""
    prepare(session)
    if not shutil.which("java"):
        note_skipped(session, "rulebook", "ansible-rulebook needs Java, and java is not found")
        return
    programs = environment(session, "rulebook", controller_python(session, NEWEST))
    session.env["IMDS_RULEBOOK"] = str(programs / "ansible-rulebook")
    run_pytest(session, "tests/rulebook")


@long_test
def lab(session: nox.Session) -> None:
    """The lab's own tests, in namespaces."""
    prepare(session)
    run_pytest(session, "tests/lab")


@test
def leaks(session: nox.Session) -> None:
    """Tokens and secrets are in no output, log, cache, artifact or temporary file."""
    prepare(session)
    run_pytest(session, "tests/leaks")


@test
def endurance(session: nox.Session) -> None:
    """Many processes on one VM, many requests to one process, and a play with several VMs."""
    prepare(session)
    run_pytest(session, "tests/endurance", "tests/scale")


@long_test
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
        note_skipped(session, "molecule-disks", "only root's lab has disks with a loop device behind them")
        left_out = ("--exclude", "ssh", "--exclude", "disks")
    session.run("molecule", "test", "--all", "--report", *left_out)


@sanity_test
@every_core
def sanity(session: nox.Session, core: str) -> None:
    """ansible-test sanity: every test, no exceptions. All but the newest core lint (pylint) the plugins only.

    Pylint takes most of the time, and what it says about tests does not depend on the core.
    """
    python, programs = prepare_core(session, core)
    command = (str(programs / "ansible-test"), "sanity", "--color", "no", "--local", "--python", python)
    if not shutil.which("pwsh"):
        note_skipped(session, f"sanity-{core}-pslint", "pwsh not found")
        # validate-modules ends at the first .ps1 module where there is no pwsh; the Windows guide says what stands in.
        session.env["PATH"] = os.pathsep.join((str(stand_in_for_pwsh()), session.env["PATH"]))
        session.run(*command, "--test", "validate-modules", external=True)
        command = (*command, "--skip-test", "validate-modules")
        session.env["PATH"] = session.env["PATH"].partition(os.pathsep)[2]
    elif not has_script_analyzer(session):
        note_skipped(session, f"sanity-{core}-pslint", "PowerShell's module PSScriptAnalyzer is not installed")
        command = (*command, "--skip-test", "pslint")
    if core != NEWEST:
        session.run(*command, "--test", "pylint", "plugins/", external=True)
        command = (*command, "--skip-test", "pylint")
    session.run(*command, external=True)


@unit_test
@every_unit_python
def units(session: nox.Session, core: str, python: str) -> None:
    """ansible-test units of all plugins, on a Python that hosts may have.

    The session unit_slow runs the slow ones with the newest core.
    """
    _python, programs = prepare_core(session, core)
    if not shutil.which(f"python{python}"):
        note_skipped(session, f"units-{core}-{python}", f"Python {python} is not installed")
        return
    slow = [test for test in SLOW_TESTS if core == NEWEST and test.startswith("tests/unit/plugins/")]
    left_out = [word for test in (*KERNEL_TESTS, *slow) for word in ("--exclude", test)]
    command = (str(programs / "ansible-test"), "units", "--color", "no", "--venv", "--python", python)
    session.run(*command, *left_out, "tests/unit/plugins/", external=True)
    keep_junit(f"units-{core}-{python}")


@integration_test
@every_core
def integration(session: nox.Session, core: str) -> None:
    """ansible-test integration, modules run on the oldest Python that hosts may have."""
    _python, programs = prepare_core(session, core)
    command = (str(programs / "ansible-test"), "integration", "--color", "no", "--venv", "--python", OLDEST_TARGET)
    session.run(*command, external=True)
    keep_junit(f"integration-{core}")


def build_archive(session: nox.Session, programs: Path, target: Path) -> Path:
    """The archive of the copy of the tree, which comes out the same wherever it is built."""
    shutil.rmtree(target, ignore_errors=True)
    build = (str(programs / "ansible-galaxy"), "collection", "build", "--output-path", str(target))
    session.run(*build, external=True)
    (archive,) = target.glob("imds-azure-*.tar.gz")
    session.run("python", "tests/tools/archive.py", str(archive), str(ROOT))
    return archive


@test
def galaxy(session: nox.Session) -> None:
    """Build the collection reproducibly with its bill of materials, and import it as Galaxy does without a warning."""
    prepare(session)
    programs = environment(session, "galaxy", controller_python(session, NEWEST))
    archive = build_archive(session, programs, BUILD / "dist")
    session.run("python", "tests/tools/sbom.py", str(archive))
    # Elsewhere, with other times and another order of the files.
    with tempfile.TemporaryDirectory() as other:
        session.run(str(ROOT / "tests" / "tools" / "copy-tree"), other, external=True, silent=True)
        with session.chdir(Path(other) / "ansible_collections" / "imds" / "azure"):
            again = build_archive(session, programs, Path(other) / "dist")
        if again.read_bytes() != archive.read_bytes():
            session.error(f"{archive.name} is not reproducible: built a second time, it differs")
    session.env["GALAXY_IMPORTER_CONFIG"] = str(COLLECTION / "tests" / "tools" / "galaxy-importer.cfg")
    import_archive(session, programs, archive)


def import_archive(session: nox.Session, programs: Path, archive: Path) -> None:
    """Have galaxy-importer read the archive; a warning is an error."""
    importer = (str(programs / "python"), "-m", "galaxy_importer.main", str(archive))
    output = str(session.run(*importer, silent=True, external=True))
    session.log(output)
    if "WARNING" in output or "ERROR" in output:
        session.error("galaxy-importer has something to say")


@test
def certification(session: nox.Session) -> None:
    """What certification of a partner's collection checks beside sanity: import and lint, in the versions it pins."""
    prepare(session)
    python = controller_python(session, OLDEST)
    programs = environment(session, "certification-import", python)
    archive = build_archive(session, programs, BUILD / "certification")
    session.env["GALAXY_IMPORTER_CONFIG"] = str(COLLECTION / "tests" / "tools" / "certification-importer.cfg")
    import_archive(session, programs, archive)
    programs = environment(session, "certification-lint", python)
    session.run(str(programs / "ansible-lint"), "--profile=production", "--strict", "--offline", external=True)


@test
def execution_environment(session: nox.Session) -> None:
    """What ansible-builder makes of the collection, a run under ansible-runner, and an image where one can be built."""
    prepare(session)
    python = controller_python(session, NEWEST)
    builder = environment(session, "builder", python)
    work = BUILD / "ee"
    archive = build_archive(session, builder, work / "dist")
    shutil.copy(archive, work / "imds-azure.tar.gz")
    definition = COLLECTION / "tests" / "ee" / "execution-environment.yml"
    shutil.copy(definition, work)
    with session.chdir(work):
        create = ("create", "--file", definition.name, "--context", "context", "--verbosity", "2")
        session.run(str(builder / "ansible-builder"), *create, external=True)
        install = ("collection", "install", "--force", "--offline", "--collections-path", "content", str(archive))
        session.run(str(builder / "ansible-galaxy"), *install, external=True)
        introspect = ("introspect", "--write-pip", "requirements.txt", "content")
        session.run(str(builder / "ansible-builder"), *introspect, external=True)
        run_as_in_the_image(session, python)
    # The client may be installed without the service that it talks to.
    for engine in ("podman", "docker"):
        if shutil.which(engine) and not subprocess.run([engine, "info"], capture_output=True, check=False).returncode:
            os.environ["ANTSIBULL_NOX_CONTAINER_ENGINE"] = engine
            session.notify("ee-check-newest")
            return
    note_skipped(session, "execution-environment-image", "neither podman nor docker answers")


def run_as_in_the_image(session: nox.Session, python: str) -> None:
    """Run the test playbook under ansible-runner, with nothing but what ansible-builder would install."""
    session.run(f"python{python}", "-m", "venv", "--clear", "venv", external=True)
    programs = Path.cwd() / "venv" / "bin"
    core = nox.project.dependency_groups(PYPROJECT, f"core-{NEWEST}")
    packages = (*core, "ansible-runner", "--requirement", "requirements.txt")
    session.run(str(programs / "pip"), "install", "--quiet", *packages, external=True)
    project = Path("private") / "project"
    shutil.rmtree(project.parent, ignore_errors=True)
    project.mkdir(parents=True)
    shutil.copy(COLLECTION / "tests" / "ee" / "all.yml", project)
    environment = {
        "PATH": os.pathsep.join((str(programs), os.environ["PATH"])),
        "PYTHONPATH": "",
        "ANSIBLE_COLLECTIONS_PATH": str(Path.cwd() / "content"),
    }
    run = ("run", "private", "--playbook", "all.yml", "--cmdline=--inventory localhost,")
    session.run(str(programs / "ansible-runner"), *run, env=environment, external=True)


@nox.session(**_IN_PLACE, default=False)
def bench(session: nox.Session) -> None:
    """The benchmark: ratios of one run, medians."""
    prepare(session)
    session.run("python", "-m", "tests.bench", str(BUILD / "bench.json"), *session.posargs)


@nox.session(**_IN_PLACE, default=False)
def fuzz(session: nox.Session) -> None:
    """Every reader of bytes from outside with input that is almost right. The unit tests do the same for a moment."""
    prepare(session)
    programs = environment(session, "fuzz", controller_python(session, NEWEST))
    command = (str(programs / "python"), "-m", "ansible_collections.imds.azure.tests.fuzz")
    session.run(*command, "--into", str(BUILD / "fuzz"), *session.posargs, external=True)


@nox.session(name="bench-scale", **_IN_PLACE, default=False)
def bench_scale(session: nox.Session) -> None:
    """Gather and attest 2,000 emulated VMs in one play, and measure what that costs against 500."""
    prepare(session)
    session.run("python", "-m", "tests.scale", str(BUILD / "scale.json"), *session.posargs)


@nox.session(**_IN_PLACE, default=False)
def slices(session: nox.Session) -> None:
    """Gather 2,000 emulated VMs in slices by ansible-runner, with a fact cache in Redis, and report from the cache."""
    prepare(session)
    programs = environment(session, "slices", controller_python(session, NEWEST))
    output = str(BUILD / "slices.json")
    session.run(str(programs / "python"), "-m", "tests.scale.slices", output, *session.posargs, external=True)


@nox.session(name="bench-peers", **_IN_PLACE, default=False)
def bench_peers(session: nox.Session) -> None:
    """Other tools that read cloud metadata beside ours, in the lab. Writes the tables of the guide peers.rst."""
    prepare(session)
    peers = ("python", "-m", "ansible_collections.imds.azure.tests.peers")
    session.run(*peers, str(BUILD / "peers"), str(ROOT / "docs" / "docsite" / "rst" / "peers.rst"), *session.posargs)


if __name__ == "__main__":
    os.execvp("nox", ["nox"])
