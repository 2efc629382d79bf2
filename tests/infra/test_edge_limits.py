from __future__ import annotations

import pytest

from infra.edge_limits import Bound, EdgeLimits, as_table, bounds
from infra.settings import Settings, WrongSetting
from tests.conftest import ROOT
from tests.infra.test_settings import ENOUGH

IDS = {"ids": list(bounds())}


def test_the_page_lists_every_bound_as_it_is() -> None:
    assert as_table() in (ROOT / "docs" / "limits.md").read_text()


@pytest.mark.parametrize(("name", "bound"), bounds().items(), **IDS)
def test_every_bound_is_read_from_the_environment(name: str, bound: Bound) -> None:
    usual = Settings.from_env(ENOUGH).limits
    changed = Settings.from_env({**ENOUGH, bound.variable: str(bound.at_least)}).limits

    assert getattr(usual, name) == bound.default
    assert getattr(changed, name) == bound.at_least


@pytest.mark.parametrize(("name", "bound"), bounds().items(), **IDS)
def test_what_a_bound_cannot_be_is_refused_by_name(name: str, bound: Bound) -> None:
    for value in (bound.at_least - 1, bound.at_most + 1):
        with pytest.raises(WrongSetting) as refusal:
            Settings.from_env({**ENOUGH, bound.variable: str(value)})
        assert refusal.value.variable == bound.variable


def test_no_two_bounds_share_a_variable() -> None:
    assert len({bound.variable for bound in bounds().values()}) == len(EdgeLimits.__slots__)
