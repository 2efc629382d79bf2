"""What a program says that sends a beacon."""

from __future__ import annotations

import pytest

from domain.beacons import is_crawler


@pytest.mark.parametrize(
    ("user_agent", "crawls"),
    [
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", True),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0)", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0 Safari/537.36", True),
        ("python-requests/2.32", True),
        ("  ", True),
        ("Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) Chrome/120.0 Mobile Safari/537.36", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", False),
        ("Mozilla/5.0 (Windows NT 10.0; rv:131.0) Gecko/20100101 Firefox/131.0", False),
    ],
)
def test_a_crawler_says_that_it_is_one_and_a_telephone_is_none(user_agent, crawls):
    assert is_crawler(user_agent) is crawls
