"""How sure it is that two leads are one person: tables that people can check."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.duplicates import DuplicateRules, Evidence, Trait, score, sentence, weighed
from domain.duplicates.scoring import agreement_needed, bits_needed, bits_of
from domain.ids import new_id

EMAIL, PHONE, NAME, COMPANY = Trait.EMAIL, Trait.PHONE, Trait.NAME, Trait.COMPANY


@pytest.mark.parametrize(
    ("trait", "agreement", "bits"),
    [
        (EMAIL, "1", "20"),
        (EMAIL, "0.97", "3.2"),  # alike is not the same: one letter is another person's mailbox
        (EMAIL, "0.85", "0"),
        (EMAIL, "0.2", "-1"),  # people have several addresses
        (PHONE, "1", "12"),
        (PHONE, "0", "-1"),
        (NAME, "1", "8"),
        (NAME, "0.9", "4.8"),
        (NAME, "0.75", "0"),
        (NAME, "0.5", "-8"),
        (NAME, "0", "-8"),
        (COMPANY, "1", "5"),
        (COMPANY, "0", "-2"),
    ],
)
def test_agreement_is_worth_so_many_bits(trait: Trait, agreement: str, bits: str) -> None:
    found = weighed(trait, Decimal(agreement))

    assert found == Evidence(trait, Decimal(agreement), Decimal(bits))


@pytest.mark.parametrize(
    ("agreements", "sure"),
    [
        ({}, "0.0010"),
        ({EMAIL: "1"}, "0.9990"),  # one mailbox, and nothing against it
        ({EMAIL: "1", NAME: "1"}, "1.0000"),
        ({EMAIL: "1", NAME: "0.2"}, "0.8000"),  # one mailbox of two people: for people to decide
        ({PHONE: "1", NAME: "1"}, "0.9990"),
        ({PHONE: "1", NAME: "0.2"}, "0.0154"),  # the office's telephone
        ({PHONE: "1"}, "0.8000"),
        ({NAME: "1"}, "0.2000"),  # people share names
        ({NAME: "1", COMPANY: "1"}, "0.8889"),
        ({NAME: "1", COMPANY: "1", EMAIL: "0.1"}, "0.8000"),
        ({NAME: "1", COMPANY: "0"}, "0.0588"),
        ({NAME: "0.9", COMPANY: "1", EMAIL: "0.97"}, "0.8889"),  # a slip in name and address
        ({NAME: "0.2", COMPANY: "1"}, "0.0001"),  # colleagues
    ],
)
def test_bits_add_up_to_how_sure_it_is(agreements: dict[Trait, str], sure: str) -> None:
    evidence = [weighed(trait, Decimal(agreement)) for trait, agreement in agreements.items()]

    assert score(evidence) == Decimal(sure)


@pytest.mark.parametrize(
    ("agreements", "merged"),
    [
        ({EMAIL: "1"}, True),
        ({PHONE: "1", NAME: "1", EMAIL: "0"}, True),
        # All but the same: two of one name at one company are numbered by their addresses.
        ({EMAIL: "0.99", NAME: "1", COMPANY: "1"}, False),
        ({PHONE: "1", COMPANY: "1"}, False),
        ({EMAIL: "1", NAME: "0"}, False),
    ],
)
def test_by_the_usual_rules_only_a_strong_key_is_enough_to_merge(
    agreements: dict[Trait, str], merged: bool
) -> None:
    evidence = [weighed(trait, Decimal(agreement)) for trait, agreement in agreements.items()]
    usual = DuplicateRules(id=new_id()).merge_from

    assert usual is not None
    assert (score(evidence) >= usual) is merged


@pytest.mark.parametrize(
    ("trait", "agreement", "words"),
    [
        (EMAIL, "1", "The e-mail addresses are the same."),
        (NAME, "0.934", "The names are alike: they agree by 93 %."),
        (COMPANY, "0.3", "The companies are different: they agree by 30 %."),
    ],
)
def test_evidence_is_told_in_words(trait: Trait, agreement: str, words: str) -> None:
    assert sentence(weighed(trait, Decimal(agreement))) == words


@pytest.mark.parametrize("wanted", ["0.0001", "0.05", "0.5", "0.75", "0.995", "1"])
@pytest.mark.parametrize("trait", Trait)
def test_what_has_too_few_bits_for_a_score_never_reaches_it(trait: Trait, wanted: str) -> None:
    """So nothing is lost if it is not weighed to the last place."""
    needed = bits_needed(Decimal(wanted))
    rest = [weighed(EMAIL, Decimal(1))] if trait is not EMAIL else [weighed(PHONE, Decimal(1))]
    for hundredths in range(101):
        agreement = Decimal(hundredths) / 100
        evidence = [weighed(trait, agreement), *rest]
        bits = bits_of(trait, float(agreement)) + sum(float(each.bits) for each in rest)
        assert (score(evidence) >= Decimal(wanted)) <= (bits >= needed)


@pytest.mark.parametrize("bits", [-9.0, -8.0, -3.2, 0.0, 2.8, 8.0])
def test_the_agreement_that_is_needed_is_worth_the_bits(bits: float) -> None:
    least = agreement_needed(NAME, bits)

    assert bits_of(NAME, least) == pytest.approx(max(bits, -8))
    assert least == 0 or bits_of(NAME, least - 0.01) < bits
