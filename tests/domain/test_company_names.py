"""Companies' names, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.company_names import LEGAL_FORMS, normal_name


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("ACME GmbH & Co. KG", "acme"),
        ("Acme", "acme"),
        ("acmé, gmbh", "acme"),
        ("A.C.M.E. Ltd.", "acme"),
        ("The Acme Company, Inc.", "acme"),
        ("Acme Sp. z o.o.", "acme"),
        ("Acme S.à r.l.", "acme"),
        ("Acme UG (haftungsbeschränkt)", "acme"),
        ("Acme Tools", "acme tools"),
        ("Bang & Olufsen A/S", "bang olufsen"),
        ("Müller & Söhne oHG", "muller sohne"),
        ("Straße AG", "strasse"),
        ("Strasse Ag", "strasse"),
        ("Société Générale S.A.", "societe generale"),
        ("O'Reilly Media, Inc.", "oreilly media"),
        ("Banco de", "banco de"),
        ("3M", "3m"),
        ("株式会社トヨタ", "株式会社トヨタ"),
        ("ООО «Ромашка»", "ромашка"),
        ("ООО", "ооо"),
        ("Limited", "limited"),
        ("The Limited", "limited"),
        ("The", "the"),
        ("!!!", "!!!"),
        ("\u0300", "\u0300"),  # an accent on nothing
        ("  ", ""),
    ],
)
def test_a_name_is_compared_without_case_accents_marks_and_legal_form(name, normal):
    assert normal_name(name) == normal


@given(st.text(max_size=40))
def test_a_normal_name_is_its_own(name):
    assert normal_name(normal_name(name)) == normal_name(name)


@given(st.text(min_size=1, max_size=40))
def test_only_no_name_has_no_normal_name(name):
    assert bool(normal_name(name)) == bool(name.strip())


@given(
    st.text(alphabet="abcdefgh ", min_size=1).filter(str.strip),
    st.sampled_from(sorted(LEGAL_FORMS)),
)
def test_a_legal_form_and_capitals_change_nothing(name, form):
    assert normal_name(f"{name.upper()} {form.upper()}.") == normal_name(f"{name} {form}")
