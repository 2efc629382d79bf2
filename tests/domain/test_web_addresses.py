"""Addresses of pages, in one form."""

from __future__ import annotations

import pytest

from domain.errors import Invalid
from domain.web_addresses import origin_of, page_address, page_and_parameters, referring_page


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://acme.example/guide", "https://acme.example/guide"),
        ("http://ACME.example:80/guide/", "https://acme.example/guide"),
        ("https://acme.example", "https://acme.example/"),
        ("https://acme.example/guide#part-2", "https://acme.example/guide"),
        ("https://acme.example/g?utm_source=x&gclid=1&FBCLID=2", "https://acme.example/g"),
        ("https://acme.example/g?b=2&a=1&utm_term=t", "https://acme.example/g?a=1&b=2"),
        ("https://acme.example:8443/g?q=", "https://acme.example:8443/g?q="),
        ("https://ann:secret@acme.example/g", "https://acme.example/g"),
        (" https://acme.example/Case ", "https://acme.example/Case"),
        ("https://[::1]:8080/g", "https://[::1]:8080/g"),
        ("https://Caf\u00e9.example/g", "https://xn--caf-dma.example/g"),
        ("https://acme.example/caf\u00e9 1", "https://acme.example/caf%C3%A9%201"),
        ("https://acme.example/caf%c3%a9%7e", "https://acme.example/caf%C3%A9~"),
        ("https://acme.example/a%2Fb", "https://acme.example/a%2Fb"),
    ],
)
def test_one_page_has_one_address(given, kept):
    assert page_address(given) == kept
    assert page_address(kept) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "acme.example/guide",
        "ftp://acme.example/",
        "javascript:alert(1)",
        "https://",
        "https://[::1/",
        "https://acme.example:99999/",
        "https://acme.example:0/",
        "https://a b/",
        "https://acme.example/?" + "&".join(f"p{n}=1" for n in range(101)),
        "https://acme.example/" + "x" * 2000,
        "https://acme.example/\x00",
    ],
)
def test_what_is_no_address_is_refused(given):
    with pytest.raises(Invalid) as refused:
        page_address(given)
    assert refused.value.path == ("url",)


@pytest.mark.parametrize(
    "secret",
    [
        "email=ann%40x.example",
        "E-Mail=",
        "user_email=a",
        "q=ann@x.example",
        "redirect=%2Fwelcome%3Fu%3Dann%2540x.example",
        "token=1",
        "resetToken=1",
        "access_token=1",
        "PHPSESSID=1",
        "code=4%2F0Ab",
        "name=Ann",
        "first-name=Ann",
        "tel=1",
        "q=%2B49%2030%20901820",
        "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln",
        "h=5f4dcc3b5aa765d61d8327deb882cf99",
        "mc_eid=1",
        "gad_source=1",
    ],
)
def test_what_tells_of_a_person_is_not_kept(secret):
    kept = "https://acme.example/g?page=2"
    assert page_address(f"https://acme.example/g?{secret}&page=2") == kept


@pytest.mark.parametrize(
    "kept",
    [
        "colour=red",
        "id=0192f0c1-7b1e-7c50-8f00-0123456789ab",
        "page=how-to-choose-a-crm-in-2026-for-small-teams",
        "p=1234567890",
        "q=smarketing",
        "v=1.2.3",
    ],
)
def test_what_makes_another_page_stays(kept):
    assert page_address(f"https://acme.example/g?{kept}") == f"https://acme.example/g?{kept}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/unsubscribe/ann@x.example/done", "/unsubscribe/*/done"),
        ("/unsubscribe/ann%40x.example", "/unsubscribe/*"),
        ("/reset/5f4dcc3b5aa765d61d8327deb882cf99", "/reset/*"),
        ("/shop;jsessionid=A1/cart", "/shop/cart"),
        ("/how-to-choose-a-crm-in-2026-for-teams", "/how-to-choose-a-crm-in-2026-for-teams"),
        ("/@acme/guide", "/@acme/guide"),
    ],
)
def test_a_path_names_nobody_either(given, kept):
    assert page_address(f"https://acme.example{given}") == f"https://acme.example{kept}"
    assert referring_page(f"https://acme.example{given}?x=1") == f"https://acme.example{kept}"


def test_of_other_sites_only_the_page_is_kept():
    assert referring_page("https://mail.example/inbox?user=ann#1") == "https://mail.example/inbox"


def test_of_a_parameter_said_twice_the_first_counts():
    found = page_and_parameters("https://acme.example/?UTM_Source=a&utm_source=b&x=")
    assert found == ("https://acme.example/?x=", {"utm_source": "a", "x": ""})


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://www.acme.example", "https://www.acme.example"),
        ("https://WWW.acme.example:443/", "https://www.acme.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_do(given, origin):
    assert origin_of(given, path=("origins", 0)) == origin


@pytest.mark.parametrize(
    "given", ["*", "null", "https://acme.example/page", "https://acme.example?x", "https://u@a.b"]
)
def test_what_is_no_origin_is_refused(given):
    with pytest.raises(Invalid) as refused:
        origin_of(given, path=("origins", 0))
    assert refused.value.path == ("origins", 0)
