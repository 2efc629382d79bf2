"""Addresses of pages, in one form."""

from __future__ import annotations

import pytest

from domain.errors import Invalid
from domain.web_addresses import origin_of, page_address, parameters_of, referring_page


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


def test_of_other_sites_only_the_page_is_kept():
    assert referring_page("https://mail.example/inbox?user=ann#1") == "https://mail.example/inbox"


def test_of_a_parameter_said_twice_the_first_counts():
    found = parameters_of("https://acme.example/?UTM_Source=a&utm_source=b&x=")
    assert found == {"utm_source": "a", "x": ""}


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
