"""Whom we may contact, how, and whose steps we may follow; and how that came to be so.

What a person wishes is kept as a history that is only ever added to.  Two things are asked of it.
`do_not_contact` stands on the lead itself, because lists are filtered by it and everybody who works
a lead has to see it; consents stand in a table of their own, by what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.ids import new_id
from domain.leads import Activity, ActivityKind, Agency, Lead

LONGEST_REASON: Final = 2000


class ConsentPurpose(StrEnum):
    """What a person may consent to."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    TRACKING = "TRACKING"


class ConsentStatus(StrEnum):
    """What became of it."""

    GRANTED = "GRANTED"
    WITHDRAWN = "WITHDRAWN"


class LegalBasis(StrEnum):
    """What makes it lawful (GDPR, article 6)."""

    CONSENT = "CONSENT"
    CONTRACT = "CONTRACT"
    LEGITIMATE_INTEREST = "LEGITIMATE_INTEREST"
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person wished at an instant, about one purpose.  It is never changed afterwards.

    `source` is where it was said (`newsletter form`), `wording` what the person agreed to.
    """

    id: UUID
    lead_id: UUID
    purpose: ConsentPurpose
    status: ConsentStatus
    basis: LegalBasis
    source: str
    occurred_at: datetime
    recorded_at: datetime
    recorded_by: UUID | None = None
    wording: str | None = None
    version: int = 1


class DoNotContact(DomainError):
    """The person must not be contacted at all."""

    code = "DO_NOT_CONTACT"

    def __init__(self, *, path: Sequence[str | int] = ("lead",)) -> None:
        super().__init__(
            "This person must not be contacted; the lead says since when and why.", path=path
        )


class ConsentWithdrawn(DomainError):
    """The person does not wish to be called, or to be written to."""

    code = "CONSENT_WITHDRAWN"

    def __init__(self, purpose: ConsentPurpose) -> None:
        how = "called" if purpose is ConsentPurpose.PHONE else "written to"
        super().__init__(f"This person does not wish to be {how}.", path=("kind",))


_PURPOSES: Final = {
    ActivityKind.CALL: ConsentPurpose.PHONE,
    ActivityKind.EMAIL: ConsentPurpose.EMAIL,
}


def standing(consents: Iterable[Consent]) -> Mapping[ConsentPurpose, Consent]:
    """Return what a person wishes now, by purpose: what was said last.

    Of two things said at the same instant, the withdrawal counts.
    """

    return {consent.purpose: consent for consent in sorted(consents, key=_said_last)}


def is_withdrawn(consents: Iterable[Consent], purpose: ConsentPurpose) -> bool:
    """Say whether a person has withdrawn what one purpose needs; who never spoke has not."""
    now = standing(consents).get(purpose)
    return now is not None and now.status is ConsentStatus.WITHDRAWN


def withdrawn_since(consents: Iterable[Consent], purpose: ConsentPurpose) -> datetime | None:
    """Return since when what one purpose needs is withdrawn, None if it is not.

    Said again, it was so since the first time.
    """
    since: datetime | None = None
    for consent in sorted(consents, key=_said_last):
        if consent.purpose is purpose:
            is_withdrawn = consent.status is ConsentStatus.WITHDRAWN
            since = (since or consent.occurred_at) if is_withdrawn else None
    return since


def may_track(consents: Iterable[Consent]) -> bool:
    """Say whether touches of a person may be stored as theirs."""
    return not is_withdrawn(consents, ConsentPurpose.TRACKING)


def check_may_be_contacted(lead: Lead, *, at: datetime) -> None:
    """Refuse what gives a lead to somebody to be contacted.

    What was done before the person wished it so stays what it was, however late it is told.
    """
    since = lead.do_not_contact_at
    if lead.do_not_contact and (since is None or at >= since):
        raise DoNotContact


def check_may_be_logged(lead: Lead, consents: Iterable[Consent], activity: Activity) -> None:
    """Refuse a call or an e-mail of ours to somebody who does not wish it.

    One that was answered is a conversation, whoever began it, and so is a meeting: a fact is not
    lost for being unwelcome, least of all to whoever has to look into it.
    """
    purpose = _PURPOSES.get(activity.kind)
    if purpose is None or activity.answered or activity.agency is not Agency.HUMAN:
        return
    check_may_be_contacted(lead, at=activity.occurred_at)
    earlier = [each for each in consents if each.occurred_at <= activity.occurred_at]
    if is_withdrawn(earlier, purpose):
        raise ConsentWithdrawn(purpose)


def not_to_contact(lead: Lead, *, reason: str, at: datetime) -> Lead:
    """Return a lead that must not be contacted.  Said again, it was so since the first time."""
    if lead.do_not_contact and lead.do_not_contact_at is not None:
        at = min(at, lead.do_not_contact_at)
    return replace(lead, do_not_contact=True, do_not_contact_at=at, do_not_contact_reason=reason)


def stricter(winner: Lead, loser: Lead) -> Lead:
    """Return the lead that is kept of two who are one, with the stricter wish of both.

    If either must not be contacted, neither must be: since the earlier instant, for its reason.
    """
    strict = [lead for lead in (winner, loser) if lead.do_not_contact]
    if not strict:
        return winner
    first = min(strict, key=lambda lead: lead.do_not_contact_at or lead.created_at)
    return replace(
        winner,
        do_not_contact=True,
        do_not_contact_at=first.do_not_contact_at,
        do_not_contact_reason=first.do_not_contact_reason,
    )


def withdrawals_to_keep(
    winner: Iterable[Consent], loser: Iterable[Consent], *, lead_id: UUID, at: datetime
) -> tuple[Consent, ...]:
    """Return what is to be added when two leads become one, so that the stricter wish counts.

    Where one has withdrawn and the other has not, the history of both alone could say otherwise.
    """
    mine, theirs = standing(winner), standing(loser)
    both = standing([*mine.values(), *theirs.values()])
    return tuple(
        _again(said, "merge", lead_id=lead_id, at=at)
        for purpose in ConsentPurpose
        if (said := _withdrawn_last(mine.get(purpose), theirs.get(purpose))) is not None
        and both[purpose].status is not ConsentStatus.WITHDRAWN
    )


def withdrawals_to_share(
    theirs: Iterable[Consent], since: Iterable[Consent], *, lead_id: UUID, at: datetime
) -> tuple[Consent, ...]:
    """Return what is to be added for a lead that was one with another when `since` was said.

    What was withdrawn then is withdrawn for each of them: nobody can say whose wish it was.
    """
    now = standing(theirs)
    return tuple(
        _again(said, "unmerge", lead_id=lead_id, at=at)
        for purpose, said in standing(since).items()
        if said.status is ConsentStatus.WITHDRAWN
        and _withdrawn_last(now.get(purpose), None) is None
    )


def _said_last(consent: Consent) -> tuple[datetime, bool, datetime, UUID]:
    withdrawn = consent.status is ConsentStatus.WITHDRAWN
    return consent.occurred_at, withdrawn, consent.recorded_at, consent.id


def _withdrawn_last(*said: Consent | None) -> Consent | None:
    withdrawn = [each for each in said if each and each.status is ConsentStatus.WITHDRAWN]
    return max(withdrawn, key=lambda each: (each.occurred_at, each.id), default=None)


def _again(said: Consent, source: str, *, lead_id: UUID, at: datetime) -> Consent:
    """Return a wish as a rule of ours tells it again, for another lead."""
    return replace(
        said,
        id=new_id(),
        lead_id=lead_id,
        source=source,
        occurred_at=at,
        recorded_at=at,
        recorded_by=None,
        version=1,
    )


def check_basis(status: ConsentStatus, basis: LegalBasis) -> None:
    """Refuse to let a person withdraw what never hung on their wish."""
    if status is ConsentStatus.WITHDRAWN and basis is LegalBasis.LEGAL_OBLIGATION:
        raise Invalid("What the law demands cannot be withdrawn.", path=("basis",))
