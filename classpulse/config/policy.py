"""Whether real people may be analysed, and how: the ``policy:`` block.

Nothing is inferred about anyone before :func:`require_policy` has agreed.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from classpulse.errors import UserError
from db.records import AnalysisMode

EU_MEMBERS = frozenset(
    {
        "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI",
        "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU",
        "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
    }
)  # fmt: skip
"""ISO 3166 codes of the member states, where the AI Act, Regulation (EU) 2024/1689, applies directly."""

_EXEMPT_BASES = frozenset({"medical", "safety"})


class AgeGroup(StrEnum):
    """Who sits in the class."""

    ADULTS = "adults"
    MINORS = "minors"
    MIXED = "mixed"


class LegalBasis(StrEnum):
    """On what the recording rests, as whoever answers for it has recorded it."""

    CONSENT = "consent"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTEREST = "legitimate_interest"
    RESEARCH = "research"
    MEDICAL = "medical"
    SAFETY = "safety"


class Policy(BaseModel):
    """Who decided that this class may be watched, on what basis and in which mode.

    ``mode`` defaults to ``behaviour`` in the EU and to ``emotion`` elsewhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    jurisdiction: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, to_upper=True, pattern=r"^(EU|[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?)$"
        ),
    ] = Field(description="EU, or an ISO 3166 code such as CH, US or US-NY")
    age_group: AgeGroup
    legal_basis: LegalBasis
    recorded_by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    recorded_on: date
    mode: AnalysisMode = AnalysisMode.EMOTION

    @property
    def in_eu(self) -> bool:
        """Whether EU law holds there."""
        return self.jurisdiction == "EU" or self.jurisdiction.split("-")[0] in EU_MEMBERS

    @model_validator(mode="before")
    @classmethod
    def _default_mode(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("mode") is None:
            place = str(data.get("jurisdiction", "")).strip().upper()
            eu = place == "EU" or place.split("-")[0] in EU_MEMBERS
            return {**data, "mode": AnalysisMode.BEHAVIOUR if eu else AnalysisMode.EMOTION}
        return data

    @field_validator("recorded_on")
    @classmethod
    def _not_in_the_future(cls, value: date) -> date:
        if value > date.today():
            raise ValueError(f"{value} lies in the future; expected the day the decision was recorded")
        return value

    @model_validator(mode="after")
    def _eu_prohibition(self) -> Self:
        infers = self.mode is not AnalysisMode.BEHAVIOUR
        if infers and self.in_eu and self.legal_basis.value not in _EXEMPT_BASES:
            raise ValueError(
                f"mode '{self.mode}' infers emotions, which the EU AI Act, Art. 5(1)(f), prohibits in "
                f"education (jurisdiction {self.jurisdiction}); use mode: behaviour"
            )
        return self


def require_policy(policy: Policy | None, config: str) -> Policy:
    """The policy, or UserError: without one, nobody is analysed."""
    if policy is None:
        raise UserError(
            f"{config} has no policy block, so no real person may be analysed: say in 'policy:' where, "
            "who, on what legal basis and who decided it ('classpulse init' asks for it)"
        )
    return policy
