"""Levels are known from the day they were published, and on contracts of their standard only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

import sibt
from sibt.errors import DataError, SettingError
from sibt.strategy import levels, rules
from sibt.strategy.strategy import Strategy

OWN = """
[[level]]
name = "cost"
value = 11762.17
unit = "yuan/t"
published_on = "2024-05-14"
product = "si"
standard = "2022"
source = "plant E"

[[level]]
name = "gap"
value = 800
unit = "yuan/kg"
published_on = 2024-05-18
product = "si"
standard = "2024"
"""

REPORT = """
[report]
id = "house_2024"
title = "View"
publisher = "House"
date = "2024-03-29"
product = "si"
standard = "2022"

[[level]]
name = "support"
value = 11700.0
claim = "L3"

[[level]]
name = "later"
value = 12500.0
published_on = "2024-06-03"
standard = "2024"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "levels.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.fixture(scope="module")
def market() -> sibt.Market:
    return sibt.load_market("sample")


@pytest.fixture
def cost(tmp_path: Path) -> levels.Level:
    return sibt.level("cost", file=written(tmp_path, OWN))


def test_a_level_of_a_file_is_what_the_file_says(cost: levels.Level) -> None:
    assert (cost.name, cost.printed, cost.value, cost.unit) == ("cost", 11762.17, 11762.17,
                                                                "yuan/t")  # fmt: skip
    assert (cost.published_on, cost.product, cost.standard) == (pd.Timestamp("2024-05-14"), "si",
                                                                "2022")  # fmt: skip
    assert cost.source == "plant E"


def test_levels_of_a_report_take_its_day_and_its_standard(tmp_path: Path) -> None:
    file = written(tmp_path, REPORT)
    support, later = levels.levels(file)
    assert support == sibt.level("support", file) == sibt.level("house_2024.support", file)
    assert (support.name, support.unit) == ("house_2024.support", "yuan/t")
    assert (support.published_on, support.standard) == (pd.Timestamp("2024-03-29"), "2022")
    assert support.source == "House View"
    assert (later.published_on, later.standard) == (pd.Timestamp("2024-06-03"), "2024")


def test_nobody_knows_a_level_before_the_day_it_was_published(
    cost: levels.Level, market: sibt.Market
) -> None:
    known = cost.by_session(market)
    assert known.index.equals(market.sessions)
    assert known.loc[:"2024-05-13"].isna().all()
    assert (known.loc["2024-05-14":] == 11762.17).all()
    assert known.loc[:"2024-05-13"].size


def test_a_level_of_a_saturday_is_known_from_monday_on(
    tmp_path: Path, market: sibt.Market
) -> None:
    known = sibt.level("gap", file=written(tmp_path, OWN)).by_session(market)
    assert known.first_valid_index() == pd.Timestamp("2024-05-20")


def test_a_level_is_held_against_contracts_of_its_standard_only(
    cost: levels.Level, market: sibt.Market
) -> None:
    codes = market.dominant(cross_standard=True)
    known = cost.against(market, codes)
    for day, code in codes.items():
        old = isinstance(code, str) and code <= "si2411"
        assert np.isnan(known[day]) == (not old or day < pd.Timestamp("2024-05-14"))
    assert known.notna().any()
    assert codes[known.notna()].max() == "si2411"


def test_one_contract_may_stand_for_all_sessions(cost: levels.Level, market: sibt.Market) -> None:
    pd.testing.assert_series_equal(cost.against(market, "si2411"), cost.by_session(market))
    assert cost.against(market, "si2412").isna().all()


def test_sessions_without_a_contract_have_no_level(
    cost: levels.Level, market: sibt.Market
) -> None:
    codes = pd.Series(None, index=market.sessions, dtype=object)
    assert cost.against(market, codes).isna().all()


def test_a_level_that_is_no_price_per_tonne_is_not_held_against_futures(
    tmp_path: Path, market: sibt.Market
) -> None:
    with pytest.raises(SettingError, match="'gap' is in yuan/kg, futures are in yuan/t"):
        sibt.level("gap", file=written(tmp_path, OWN)).against(market, "si2411")


@how(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(0, 479))
def test_a_cut_market_knows_the_same_levels(
    cost: levels.Level, market: sibt.Market, row: int
) -> None:
    day = market.sessions[row]
    whole = cost.by_session(market).loc[:day]
    with levels.replaced(lambda one: 1.0 if one.published_on > day else one.printed):
        cut = cost.by_session(market.asof(day))
    pd.testing.assert_series_equal(whole, cut, check_freq=False)


def test_the_check_replaces_values_within_its_block_only(cost: levels.Level) -> None:
    asked = []

    def change(one: levels.Level) -> float:
        asked.append(one.name)
        return one.printed + 1

    with levels.replaced(change):
        assert cost.value == 11763.17
        with levels.replaced(lambda one: 5.0):
            assert cost.value == 5.0
        assert cost.value == 11763.17
    assert cost.value == cost.printed == 11762.17
    assert asked == ["cost", "cost"]


def test_a_level_asked_for_in_the_block_prints_the_replaced_value_too() -> None:
    with levels.replaced(lambda one: 5.0):
        assert levels.level("guolian_2024q1.support").printed == 5.0
    assert levels.level("guolian_2024q1.support").printed == 11700.0


def test_values_come_back_where_the_block_fails(cost: levels.Level) -> None:
    with pytest.raises(ZeroDivisionError), levels.replaced(lambda one: 5.0):
        raise ZeroDivisionError
    assert cost.value == 11762.17


def test_reading_a_file_of_levels_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, seen = written(tmp_path, OWN), []
    real = Path.read_text

    def read_text(self: Path, *given: object, **named: object) -> str:
        seen.append(levels.reading())
        return real(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", read_text)
    sibt.level("cost", file=file)
    assert seen == [True]
    assert not levels.reading()


def test_an_unknown_level_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"no level 'costs'; there are cost, gap. Did you mean"):
        sibt.level("costs", file=written(tmp_path, OWN))
    with pytest.raises(SettingError, match="No shipped report has level 'nothing'"):
        sibt.level("nothing")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 11762.17", "", r"\[\[level\]\] 1 has no 'value'"),
        ("value = 11762.17", "value = true", "value = True is no number"),
        ("value = 11762.17", "value = inf", "value = inf is no number"),
        ("value = 11762.17", 'value = "11762"', "value = '11762' is no number"),
        ('"2024-05-14"', '"14.5.2024"', "the day '14.5.2024' is none; write it as"),
        ("2024-05-18", "2024-05-18T09:00:00", r"\[\[level\]\] 2: the day .* is none"),
        ('product = "si"', 'product = "sii"', "product 'sii' is not known.*Did you mean 'si'"),
        ('standard = "2022"', 'standard = "2023"', "standard '2023' is none of si; it has 2022"),
        ('standard = "2022"', "standard = 2022", "standard = 2022 is no text; put it in quotes"),
        ('name = "gap"', 'name = "cost"', "names the level 'cost' twice"),
        ("[[level]]", "[[level", "is no TOML"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in OWN
    with pytest.raises(DataError, match=message):
        levels.levels(written(tmp_path, OWN.replace(old, new, 1)))


def test_a_table_where_a_list_is_due_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a list"):
        levels.levels(written(tmp_path, "[level]\nname = 'x'"))
    with pytest.raises(DataError, match="is no table"):
        levels.levels(written(tmp_path, "level = [3]"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        levels.levels(tmp_path / "none.toml")


def test_a_level_that_is_added_can_be_read_again(cost: levels.Level, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    odd = replace(cost, name="odd", source='a "quoted" \\ 成本\nline', published_on=pd.Timestamp(
        "2025-01-02"))  # fmt: skip
    file.write_text(levels.added(cost, file), "utf-8")
    file.write_text(levels.added(odd, file), "utf-8")
    assert levels.levels(file) == (cost, odd)


def test_a_level_is_added_below_what_is_there(cost: levels.Level, tmp_path: Path) -> None:
    file = written(tmp_path, f"# mine\n{OWN}")
    text = levels.added(replace(cost, name="third"), file)
    assert text.startswith(f"# mine\n{OWN.rstrip()}\n\n[[level]]\nname = \"third\"\n")
    with pytest.raises(SettingError, match="has a level 'cost'; take another name"):
        levels.added(cost, file)
    with pytest.raises(SettingError, match=r"'a\.b' is no name for a level"):
        levels.added(replace(cost, name="a.b"), file)


def test_the_shipped_reports_bring_their_levels() -> None:
    support = sibt.level("guolian_2024q1.support")
    assert (support.value, support.standard) == (11700.0, "2022")
    assert support.published_on == pd.Timestamp("2024-03-29")
    assert all(one.name.count(".") == 1 for one in levels.levels())


class Watches(Strategy):
    """Long while the contract is below the level; honest unless told otherwise."""

    honest = True

    def legs(self, market: sibt.Market, p: Any) -> dict[str, Any]:
        return {"main": (market.dominant(standard="2022"), 1)}

    def units(self, market: sibt.Market, p: Any) -> Any:
        codes = market.dominant(standard="2022")
        price = market.continuous(codes, "close", None)
        support = sibt.level("guolian_2024q1.support")
        level = support.against(market, codes) if self.honest else support.value
        return rules.hold(price - level, 0.0, None, side="below")


class Cheats(Watches):
    """Knows the level from the first session on."""

    honest = False


@pytest.mark.parametrize(("strategy", "leaks"), [(Watches(), False), (Cheats(), True)])
def test_replaced_levels_move_the_wishes_of_a_cheat_alone(
    strategy: Watches, leaks: bool, market: sibt.Market
) -> None:
    day = pd.Timestamp("2024-03-28")
    whole = strategy.units(market, None).loc[:day]
    with levels.replaced(lambda one: one.printed * 2 if one.published_on > day else one.printed):
        other = strategy.units(market, None).loc[:day]
    assert (not whole.equals(other)) == leaks
    assert Watches().units(market, None).loc["2024-03-29":].any()
