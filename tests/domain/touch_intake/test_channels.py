"""By which road a buyer came."""

from __future__ import annotations

import pytest

from domain.touch_intake.channels import Clues, channel_of, click_of
from domain.touches import Channel, TouchKind

VIEW, AD = TouchKind.PAGE_VIEW, TouchKind.AD_CLICK
C = Channel


@pytest.mark.parametrize(
    ("kind", "clues", "channel"),
    [
        (VIEW, Clues(), C.DIRECT),
        (VIEW, Clues(source="(direct)", medium="(none)"), C.DIRECT),
        (VIEW, Clues(source="google", medium="cpc"), C.PAID_SEARCH),
        (VIEW, Clues(source="Bing", medium="CPM"), C.PAID_SEARCH),
        (VIEW, Clues(source="linkedin", medium="paid-social"), C.PAID_SOCIAL),
        (VIEW, Clues(source="adnetwork", medium="banner"), C.DISPLAY),
        (VIEW, Clues(source="adnetwork", medium="cpm"), C.DISPLAY),
        (VIEW, Clues(source="adnetwork", medium="cpc"), C.OTHER),
        (VIEW, Clues(source="newsletter", medium="email"), C.EMAIL),
        (VIEW, Clues(source="mailchimp", medium="e-mail"), C.EMAIL),
        (VIEW, Clues(source="buffer", medium="social"), C.SOCIAL),
        (VIEW, Clues(source="facebook"), C.SOCIAL),
        (VIEW, Clues(source="google", medium="organic"), C.ORGANIC_SEARCH),
        (VIEW, Clues(source="acme", medium="affiliate"), C.PARTNER),
        (VIEW, Clues(source="acme", medium="referral"), C.REFERRAL),
        (VIEW, Clues(source="hannover", medium="fair"), C.EVENT),
        (VIEW, Clues(source="brochure", medium="print"), C.OFFLINE),
        (VIEW, Clues(source="somewhere", medium="somehow"), C.OTHER),
        (VIEW, Clues(click=C.PAID_SEARCH), C.PAID_SEARCH),
        (VIEW, Clues(click=C.PAID_SOCIAL), C.PAID_SOCIAL),
        (VIEW, Clues(referrer="https://www.google.co.uk/"), C.ORGANIC_SEARCH),
        (VIEW, Clues(referrer="https://mail.google.com/"), C.EMAIL),
        (VIEW, Clues(referrer="https://t.co/abc"), C.SOCIAL),
        (VIEW, Clues(referrer="https://www.linkedin.com/feed"), C.SOCIAL),
        (VIEW, Clues(referrer="https://x.acme.example/"), C.REFERRAL),
        (VIEW, Clues(referrer="https://blog.example/post"), C.REFERRAL),
        (
            VIEW,
            Clues(referrer="https://acme.example/", url="https://www.acme.example/g"),
            C.DIRECT,
        ),
        (AD, Clues(), C.DISPLAY),
        (AD, Clues(source="google"), C.PAID_SEARCH),
        (AD, Clues(source="facebook", medium="anything"), C.DISPLAY),
        (TouchKind.EMAIL_OPEN, Clues(source="google", medium="cpc"), C.EMAIL),
        (TouchKind.EMAIL_CLICK, Clues(), C.EMAIL),
        (TouchKind.WEBINAR, Clues(), C.EVENT),
        (TouchKind.EVENT, Clues(), C.EVENT),
        (TouchKind.CALL, Clues(), C.OFFLINE),
        (TouchKind.MEETING, Clues(), C.OFFLINE),
        (TouchKind.CHAT, Clues(), C.DIRECT),
    ],
)
def test_the_first_rule_that_fits_tells_the_channel(kind, clues, channel):
    assert channel_of(kind, clues) is channel


@pytest.mark.parametrize(
    ("parameters", "click"),
    [
        ({"gclid": "1"}, C.PAID_SEARCH),
        ({"msclkid": "1"}, C.PAID_SEARCH),
        ({"li_fat_id": "1"}, C.PAID_SOCIAL),
        ({"fbclid": "1"}, None),
        ({}, None),
    ],
)
def test_a_click_id_tells_what_was_paid_for(parameters, click):
    assert click_of(parameters) is click
