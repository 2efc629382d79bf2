"""Telephone numbers and domains in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.normal_forms import DomainForm, DomainsOf, PhoneFault, PhonesOf, WrittenPhone
from infra.queries.normal_forms import domains_of, phones_of


async def phone(text, region=None):
    [form] = await phones_of(None, PhonesOf(written=(WrittenPhone(text, region),)))
    return form


async def domain(text):
    return (await domains_of(None, DomainsOf(written=frozenset({text}))))[text]


@pytest.mark.parametrize(
    ("text", "region", "form"),
    [
        ("+49 30 901820", None, "+4930901820"),
        ("030/90 18-20", "DE", "+4930901820"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("+49 30 901820", "IE", "+4930901820"),
        ("(01) 679 3579 ext. 12", "IE", "+35316793579"),
        ("030 901820", None, PhoneFault.NO_REGION),
        ("030 901820", "XX", PhoneFault.NO_REGION),
        ("12345", "DE", PhoneFault.NOT_A_NUMBER),
        ("call me", "DE", PhoneFault.NOT_A_NUMBER),
        ("+1 555 0100", None, PhoneFault.NOT_A_NUMBER),
        ("+999 1234567", None, PhoneFault.NOT_A_NUMBER),
        ("", "DE", PhoneFault.NOT_A_NUMBER),
    ],
)
async def test_a_number_is_one_of_its_country_or_refused(text, region, form):
    assert await phone(text, region) == form


@given(st.integers(0, 10**11), st.sampled_from(["DE", "IE", "US", "GB", "BR"]))
async def test_a_number_in_its_form_stays_as_it_is(digits, region):
    form = await phone(str(digits), region)
    if isinstance(form, str):
        assert await phone(form) == form == await phone(form, "FR")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("https://www.Acme.co.uk:8443/a?b#c", DomainForm("acme.co.uk")),
        ("jo@mail.acme.de", DomainForm("acme.de")),
        ("//shop.acme.de/", DomainForm("acme.de")),
        ("user:secret@acme.de", DomainForm("acme.de")),
        ("ACME.de.", DomainForm("acme.de")),
        ("acme.github.io", DomainForm("acme.github.io")),
        ("müller.de", DomainForm("xn--mller-kva.de")),
        ("xn--mller-kva.de", DomainForm("xn--mller-kva.de")),
        ("jo@googlemail.com", DomainForm("googlemail.com", is_free=True)),
        ("web.de", DomainForm("web.de", is_free=True)),
        ("tutanota.com", DomainForm("tutanota.com", is_free=True)),
        ("acme.example", DomainForm("acme.example", is_reserved=True)),
        ("jo@example.com", DomainForm("example.com", is_reserved=True)),
        ("co.uk", DomainForm(None)),
        ("localhost", DomainForm(None)),
        ("http://127.0.0.1/", DomainForm(None)),
        ("[::1]", DomainForm(None)),
        ("no domain", DomainForm(None)),
        ("a..b", DomainForm(None)),
        (f"x@{'a' * 70}.com", DomainForm(None)),
    ],
)
async def test_a_domain_is_what_was_registered(written, form):
    assert await domain(written) == form


@pytest.mark.parametrize(
    ("written", "employer"),
    [("jo@acme.de", "acme.de"), ("jo@gmx.net", None), ("jo@acme.test", None), ("jo@de", None)],
)
async def test_an_address_tells_an_employer_unless_everybody_can_have_it(written, employer):
    assert (await domain(written)).employer == employer


@given(st.from_regex(r"[a-zäö0-9.-]{1,20}\.(com|co\.uk|de|io|museum)", fullmatch=True))
async def test_a_registered_domain_is_its_own(host):
    found = (await domain(host)).registrable
    if found is not None:
        assert (await domain(found)).registrable == found
        assert (await domain(f"https://a@{found}:1/x")).registrable == found
