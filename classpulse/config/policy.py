"""The section ``policy:`` of ``config.yaml``: whether and how real people may be analysed.

No person is analysed before :func:`require_policy` has returned.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from classpulse.config.invalid import InvalidSetting
from classpulse.errors import PolicyMissing
from db.records import AnalysisMode

EU_MEMBERS = frozenset(
    {
        "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI",
        "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU",
        "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
    }
)  # fmt: skip
"""ISO 3166 codes of the member states, in which the AI Act, Regulation (EU) 2024/1689, applies directly."""

_EXEMPT_BASES = frozenset({"medical", "safety"})


class AgeGroup(StrEnum):
    """The age of the students."""

    ADULTS = "adults"
    MINORS = "minors"
    MIXED = "mixed"


class LegalBasis(StrEnum):
    """The legal basis of the recording, as documented by the person responsible."""

    CONSENT = "consent"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTEREST = "legitimate_interest"
    RESEARCH = "research"
    MEDICAL = "medical"
    SAFETY = "safety"


class Policy(BaseModel):
    """The decision that this class may be observed: its author, legal basis and analysis mode.

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
        """Whether EU law applies."""
        return self.jurisdiction == "EU" or self.jurisdiction.split("-")[0] in EU_MEMBERS

    @model_validator(mode="before")
    @classmethod
    def _default_mode(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("mode") is None:
            jurisdiction = str(data.get("jurisdiction", "")).strip().upper()
            eu = jurisdiction == "EU" or jurisdiction.split("-")[0] in EU_MEMBERS
            return {**data, "mode": AnalysisMode.BEHAVIOUR if eu else AnalysisMode.EMOTION}
        return data

    @field_validator("recorded_on")
    @classmethod
    def _not_in_the_future(cls, value: date) -> date:
        if value > date.today():
            raise InvalidSetting(
                f"{value} lies in the future", "Use the day on which the decision was recorded."
            )
        return value

    @model_validator(mode="after")
    def _eu_prohibition(self) -> Self:
        infers = self.mode is not AnalysisMode.BEHAVIOUR
        if infers and self.in_eu and self.legal_basis.value not in _EXEMPT_BASES:
            raise InvalidSetting(
                f"mode '{self.mode}' infers emotions, which the EU AI Act, Art. 5(1)(f), prohibits in "
                f"education (jurisdiction {self.jurisdiction})",
                "Set mode: behaviour.",
            )
        return self


def require_policy(policy: Policy | None, config: str) -> Policy:
    """The policy. Raises PolicyMissing for None; ``config`` is the name of the settings file."""
    if policy is None:
        raise PolicyMissing(
            f"{config} has no section 'policy', so no real person may be analysed.",
            "Add it with jurisdiction, age group, legal basis and the person who decided; 'classpulse init' "
            "asks for each.",
        )
    return policy
