"""The demo, the tests and ``pip check`` on each Python version that this computer has: ``make matrix``.

Each version has its own environment with the versions in ``constraints.txt``. A version that is not installed
is reported as skipped. ``nox --session tests-3.13`` runs one of them.
"""

from __future__ import annotations

import tempfile

import nox

nox.needs_version = ">=2025.11"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
# A test must not get an interpreter that the maintainer did not install.
nox.options.download_python = "never"
nox.options.sessions = ["tests", "mediapipe"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""As in the classifiers of setup.cfg."""


def install(session: nox.Session, extras: str) -> None:
    """Install Classpulse with these extras, as ``make test`` does, and check the versions of all packages."""
    constraint = ("--constraint", "constraints.txt")
    session.install("--upgrade", *constraint, "pip")
    session.install(*constraint, "--editable", f".[{extras}]")
    session.run("pip", "check")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Play the demo and run the tests. Arguments after ``--`` replace those of pytest."""
    install(session, "test,train")
    # Not session.create_tmp(), which becomes TMPDIR for the tests too: its path is too long for sockets.
    with tempfile.TemporaryDirectory() as folder, session.chdir(folder):
        session.run("classpulse", "demo")
    parallel = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
    session.run("python", "-m", "pytest", *(session.posargs or parallel))


@nox.session(python=PYTHONS)
def mediapipe(session: nox.Session) -> None:
    """Compare our decoding with MediaPipe itself, in an environment that has it."""
    install(session, "test,mediapipe")
    session.run("python", "-m", "pytest", "-m", "mediapipe", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Run the unit tests with the lowest versions that setup.cfg allows; not part of the matrix."""
    session.install("uv")
    bounds = ("--resolution", "lowest-direct", "--constraints", "tools/constraints.in")
    session.run("uv", "pip", "install", "--quiet", *bounds, "--editable", ".[test]")
    session.run("pip", "check")
    session.run("python", "-m", "pytest", "-m", "unit", *session.posargs)
