from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from classpulse.config.policy import EU_MEMBERS, Policy, require_policy
from classpulse.errors import PolicyMissing
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
def test_policy_default_mode_depends_on_jurisdiction(jurisdiction: str, mode: AnalysisMode) -> None:
    assert policy(jurisdiction=jurisdiction).mode is mode
    assert policy(jurisdiction=jurisdiction, mode=None).mode is mode


@pytest.mark.parametrize("jurisdiction", ["EU", *sorted(EU_MEMBERS)])
@pytest.mark.parametrize("mode", ["emotion", "aggregate"])
def test_policy_emotion_mode_in_eu_is_rejected_despite_consent(jurisdiction: str, mode: str) -> None:
    with pytest.raises(ValidationError, match="prohibits"):
        policy(jurisdiction=jurisdiction, mode=mode)


@pytest.mark.parametrize("basis", ["medical", "safety"])
def test_policy_emotion_mode_in_eu_is_allowed_for_exempt_bases(basis: str) -> None:
    assert policy(jurisdiction="EU", legal_basis=basis, mode="emotion").mode is AnalysisMode.EMOTION


def test_eu_members_are_27() -> None:
    assert len(EU_MEMBERS) == 27


@pytest.mark.parametrize("bad", ["Europe", "", "U", "US/NY", "12"])
def test_policy_jurisdiction_must_be_a_code(bad: str) -> None:
    with pytest.raises(ValidationError):
        policy(jurisdiction=bad)


def test_policy_recorded_by_must_not_be_blank() -> None:
    with pytest.raises(ValidationError):
        policy(recorded_by="  ")


def test_require_policy_without_policy_raises() -> None:
    with pytest.raises(PolicyMissing):
        require_policy(None, "config.yaml")
    configured = policy()
    assert require_policy(configured, "config.yaml") is configured
