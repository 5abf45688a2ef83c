from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from classpulse.config.policy import EU_MEMBERS, Policy, require_policy
from classpulse.errors import UserError
from db.records import AnalysisMode

BLOCK = {
    "jurisdiction": "CH", "age_group": "minors", "legal_basis": "consent",
    "recorded_by": "head of studies", "recorded_on": date(2026, 1, 15),
}  # fmt: skip


def policy(**changes: object) -> Policy:
    return Policy.model_validate({**BLOCK, **changes})


@pytest.mark.parametrize(
    ("jurisdiction", "mode"),
    [
        ("EU", AnalysisMode.BEHAVIOUR),
        ("DE", AnalysisMode.BEHAVIOUR),
        ("fr", AnalysisMode.BEHAVIOUR),
        ("CH", AnalysisMode.EMOTION),
        ("US-NY", AnalysisMode.EMOTION),
    ],
)
def test_the_mode_follows_from_the_place(jurisdiction: str, mode: AnalysisMode) -> None:
    assert policy(jurisdiction=jurisdiction).mode is mode
    assert policy(jurisdiction=jurisdiction, mode=None).mode is mode


@pytest.mark.parametrize("jurisdiction", ["EU", *sorted(EU_MEMBERS)])
@pytest.mark.parametrize("mode", ["emotion", "aggregate"])
def test_no_emotion_is_inferred_in_the_eu_and_consent_does_not_cure_it(jurisdiction: str, mode: str) -> None:
    with pytest.raises(ValidationError, match="prohibits"):
        policy(jurisdiction=jurisdiction, mode=mode)


@pytest.mark.parametrize("basis", ["medical", "safety"])
def test_the_exceptions_of_the_act(basis: str) -> None:
    assert policy(jurisdiction="EU", legal_basis=basis, mode="emotion").mode is AnalysisMode.EMOTION


def test_there_are_27_members() -> None:
    assert len(EU_MEMBERS) == 27


@pytest.mark.parametrize("bad", ["Europe", "", "U", "US/NY", "12"])
def test_a_place_is_a_code(bad: str) -> None:
    with pytest.raises(ValidationError):
        policy(jurisdiction=bad)


def test_somebody_must_answer_for_it() -> None:
    with pytest.raises(ValidationError):
        policy(recorded_by="  ")


def test_without_a_policy_nobody_is_analysed() -> None:
    with pytest.raises(UserError, match="no policy block, so no real person may be analysed"):
        require_policy(None, "config.yaml")
    given = policy()
    assert require_policy(given, "config.yaml") is given
