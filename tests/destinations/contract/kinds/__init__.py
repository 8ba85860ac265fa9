"""One file for each kind that the contract suite tests. A new file is found by itself."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from pkgutil import iter_modules

import pytest

from tests.destinations.contract.sandboxed_kind import Role, SandboxedKind

KINDS: list[SandboxedKind] = [import_module(f"{__name__}.{found.name}").KIND for found in iter_modules(__path__)]


def _each_of(kinds: Iterable[SandboxedKind]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in kinds])


every_kind = _each_of(KINDS)
every_job_kind = _each_of(kind for kind in KINDS if kind.runs_jobs)
every_answering_kind = _each_of(kind for kind in KINDS if not kind.runs_jobs)
every_kind_that_refuses = _each_of(kind for kind in KINDS if kind.refused is not None)
every_kind_with_tokens = _each_of(kind for kind in KINDS if kind.verbs_of("log in"))


def _each_verb_of(kinds: Iterable[SandboxedKind], roles: Sequence[Role]) -> pytest.MarkDecorator:
    verbs = [
        pytest.param(kind, verb, id=f"{kind.name} {verb.name}") for kind in kinds for verb in kind.verbs_of(*roles)
    ]
    return pytest.mark.parametrize(("kind", "verb"), verbs)


def every_verb(*roles: Role) -> pytest.MarkDecorator:
    """Run a test for every verb of every kind that has one of ``roles``."""
    return _each_verb_of(KINDS, roles)


def every_verb_of_jobs(*roles: Role) -> pytest.MarkDecorator:
    """Run a test for every verb of every kind that runs jobs, as far as it has one of ``roles``."""
    return _each_verb_of([kind for kind in KINDS if kind.runs_jobs], roles)
