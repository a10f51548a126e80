"""Each planted error is found by the check that is meant to, and a clean market shows none."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.findings import Finding, findings, ordered, summary
from sibt.market.panel import FIELDS, Market
from sibt.sources import load_market

CODES = ("si2409", "si2410", "si2411", "si2412", "si2501")
PRICES = list(FIELDS[:5])
NAN = float("nan")


def clean(seed: int = 1) -> pd.DataFrame:
    """Bars of five contracts over half a year in which nothing is odd."""
    dice = np.random.default_rng(seed)
    days = calendar.sessions()
    days = days[(days >= "2024-06-03") & (days <= "2024-12-06")]
    common = np.cumsum(dice.normal(0, 0.008, len(days)))
    common -= np.linspace(0, common[-1], len(days))  # nothing drifts away
    parts = []
    for code in CODES:
        last = contract(code).last_trading
        mine = days[days <= last]
        base = 12_000 if code <= "si2411" else 14_300
        own = dice.normal(0, 0.002, len(mine))
        close = tick(base * np.exp(common[: len(mine)] + own))
        settle = tick(close * (1 + dice.choice([-0.001, 0.001], len(mine))))
        opened = tick(close * (1 + dice.normal(0, 0.002, len(mine))))
        volume = dice.integers(1_000, 90_000, len(mine))
        change = dice.integers(-900, 1_000, len(mine))
        parts.append(
            pd.DataFrame(
                {
                    "date": mine, "contract": code, "open": opened,
                    "high": np.maximum.reduce([opened, close, settle]) + 10,
                    "low": np.minimum.reduce([opened, close, settle]) - 10,
                    "close": close, "settle": settle,
                    "volume": volume.astype(float),
                    "open_interest": (150_000 + np.cumsum(change)).astype(float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def tick(price: np.ndarray) -> np.ndarray:
    return np.rint(price / 5) * 5


def rows(bars: pd.DataFrame, code: str, *days: str) -> pd.Series:
    """Where the bars of a contract on days stand; two days are a stretch."""
    stamps = [pd.Timestamp(day) for day in days]
    last = stamps[-1]
    return (bars["contract"] == code) & (bars["date"] >= stamps[0]) & (bars["date"] <= last)


def beside(seed: int = 1) -> dict[str, pd.DataFrame]:
    """Spot and receipts in which nothing is odd."""
    days = clean(seed)["date"].drop_duplicates().sort_values()
    wave = tick(13_000 + 200 * np.sin(np.arange(len(days)) / 9))
    spot = pd.concat(
        [
            pd.DataFrame({"date": days, "grade": "553", "price": wave}),
            pd.DataFrame({"date": days, "grade": "421", "price": wave + 900}),
        ]
    )
    lots = 50_000 + 12 * np.arange(len(days))
    return {"spot": spot, "receipts": pd.DataFrame({"date": days, "lots": lots})}


def found(bars: pd.DataFrame, **tables: pd.DataFrame) -> list[Finding]:
    whole = {**beside(), **tables}
    return findings(Market.from_bars(bars, **whole))


def changed(code: str, day: str, until: str | None = None, **cells: object) -> pd.DataFrame:
    bars = clean()
    where = rows(bars, code, day, until or day)
    assert where.any()
    for column, cell in cells.items():
        bars.loc[where, column] = cell(bars[column]) if callable(cell) else cell
    return bars


def scaled(code: str, day: str, times: float, until: str | None = None) -> pd.DataFrame:
    slip = {name: (lambda column: tick(column * times)) for name in PRICES}
    return changed(code, day, until, **slip)


def without(code: str, day: str, until: str | None = None) -> pd.DataFrame:
    bars = clean()
    return bars[~rows(bars, code, day, until or day)]


def frozen() -> pd.DataFrame:
    bars = clean()
    still = bars[rows(bars, "si2501", "2024-08-01")].iloc[0]
    where = rows(bars, "si2501", "2024-08-01", "2024-08-20")
    for name in PRICES:
        bars.loc[where, name] = still[name]
    return bars


def every(day: str, times: float, until: str | None = None) -> pd.DataFrame:
    """Bars of which those of all contracts are scaled on a day, or on all from it."""
    bars = clean()
    where = (bars["date"] >= day) & (bars["date"] <= (until or day))
    bars.loc[where, PRICES] = tick(bars.loc[where, PRICES].to_numpy() * times)
    return bars


def given_again() -> pd.DataFrame:
    """Bars of which those of 2024-07-10 stand again on the session after."""
    bars = clean()
    cells = [name for name in bars if name not in ("date", "contract")]
    first, again = (bars["date"] == day for day in ("2024-07-10", "2024-07-11"))
    bars.loc[again, cells] = bars.loc[first, cells].to_numpy()
    return bars


def stopped() -> pd.DataFrame:
    bars = clean()
    cells = [name for name in bars if name not in ("date", "contract")]
    where = rows(bars, "si2410", "2024-07-10", "2024-07-12")
    bars.loc[where, cells] = bars.loc[where, cells].iloc[0].to_numpy()
    bars.loc[rows(bars, "si2410", "2024-07-15"), "open_interest"] = NAN
    return bars


def late() -> pd.DataFrame:
    bars = clean()
    where = bars["contract"] == "si2410"
    bars.loc[where, PRICES] = bars.loc[where, PRICES].shift(1).bfill()
    return bars


def last_interest() -> pd.DataFrame:
    bars = changed("si2410", "2024-10-21", open_interest=0.0)
    eve = rows(bars, "si2410", "2024-10-18")
    bars.loc[eve, "open_interest"] = 500.0
    before = rows(bars, "si2410", "2024-10-17")
    bars.loc[before, "open_interest"] = 900.0
    bars.loc[rows(bars, "si2410", "2024-10-16"), ["open_interest", "volume"]] = [NAN, 50_000.0]
    return bars


ALONE = {
    "a decimal slip": (scaled("si2412", "2024-07-10", 0.1), "wrong", "spike", "si2412"),
    "a slip of a settlement": (
        changed("si2412", "2024-07-10", settle=1_430.0), "wrong", "spike", "si2412"),
    "a slip on the first day": (scaled("si2412", "2024-06-03", 10), "wrong", "spike", "si2412"),
    "a slip on the last day": (scaled("si2501", "2024-12-06", 10), "wrong", "spike", "si2501"),
    "a slip for a week": (
        scaled("si2412", "2024-07-10", 10, "2024-07-16"), "wrong", "spike", "si2412"),
    "a spike that goes back": (scaled("si2410", "2024-07-10", 1.15), "wrong", "spike", "si2410"),
    "a drop that goes back": (scaled("si2410", "2024-07-10", 0.85), "wrong", "spike", "si2410"),
    "another contract's price": (
        scaled("si2411", "2024-07-10", 1.25), "wrong", "spike", "si2411"),
    "a high beyond all": (changed("si2411", "2024-07-10", high=99_000.0),
                          "wrong", "spike", "si2411"),
    "a missing session": (without("si2412", "2024-07-10"), "doubtful", "gap", "si2412"),
    "a missing fortnight": (
        without("si2412", "2024-07-10", "2024-07-23"), "doubtful", "gap", "si2412"),
    "a missing session of all": (
        clean()[clean()["date"] != "2024-07-10"], "doubtful", "no bars", "bars"),
    "bars that begin late": (
        without("si2412", "2024-06-03", "2024-06-14"), "evidence", "late start", "si2412"),
    "bars that end before the last trading day": (
        without("si2409", "2024-09-10", "2024-09-13"), "doubtful", "early end", "si2409"),
    "bars that end before the others": (
        without("si2501", "2024-12-02", "2024-12-06"), "doubtful", "early end", "si2501"),
    "a close and nothing else": (
        changed("si2410", "2024-07-10",
                **dict.fromkeys([n for n in FIELDS if n != "close"], NAN)),
        "doubtful", "close only", "si2410"),
    "no settlement": (
        changed("si2410", "2024-07-10", settle=NAN), "doubtful", "no settlement", "si2410"),
    "no volume": (
        changed("si2410", "2024-07-10", volume=NAN), "doubtful", "no volume", "si2410"),
    "no open interest": (
        changed("si2410", "2024-07-10", open_interest=NAN),
        "evidence", "no open interest", "si2410"),
    "a settlement above the high": (
        changed("si2411", "2024-07-10", settle=lambda column: column + 150),
        "doubtful", "settle outside", "si2411"),
    "a volume of nought": (
        changed("si2411", "2024-07-10", volume=0.0,
                open_interest=NAN), "doubtful", "zero volume", "si2411"),
    "a series that stands still": (frozen(), "doubtful", "frozen", "si2501"),
    "open interest beyond the volume": (
        changed("si2411", "2024-07-10", "2024-11-14",
                open_interest=lambda column: column + 200_000),
        "doubtful", "open interest", "si2411"),
    "open interest of nought at the end": (
        last_interest(), "evidence", "last day", "si2410"),
    "settlements that are closes": (
        clean().assign(settle=lambda bars: bars["close"]),
        "doubtful", "settle is close", "5 contracts"),
    "the settlements of one that are closes": (
        clean().assign(settle=lambda bars: bars["settle"].where(
            bars["contract"] != "si2410", bars["close"])),
        "doubtful", "settle is close", "si2410"),
    "a session given again": (given_again(), "wrong", "repeated", "5 contracts"),
    "a session of which all is too high": (
        every("2024-07-10", 1.3), "wrong", "jump", "5 contracts"),
    "a week of which all is too high": (
        every("2024-07-10", 1.3, "2024-07-16"), "wrong", "jump", "5 contracts"),
    "three bars the same in every cell": (stopped(), "doubtful", "frozen", "si2410"),
    "a last bar far away": (
        scaled("si2501", "2024-12-06", 1.13), "doubtful", "far move", "si2501"),
    "two bars far away": (
        scaled("si2410", "2024-07-10", 1.13, "2024-07-11"), "doubtful", "far move", "si2410"),
    "a high that no limit allows": (
        changed("si2411", "2024-07-10", high=lambda column: tick(column * 1.13)),
        "doubtful", "far move", "si2411"),
    "a contract a session late": (late(), "doubtful", "shifted", "si2410"),
    "a contract in another unit for life": (
        scaled("si2410", "2024-06-03", 1.3, "2024-12-06"), "doubtful", "stranger", "si2410"),
    "a bar outside the band": (
        changed("si2411", "2024-07-10", high=lambda column: tick(column * 1.09)),
        "evidence", "band", "si2411"),
    "an open far away": (
        changed("si2410", "2024-07-10", volume=10.0, open_interest=NAN,
                open=lambda column: column + 400, high=lambda column: column + 400),
        "evidence", "far open", "si2410"),
}
FIRST = {"slip on the first": "2024-06-03", "slip on the last": "2024-12-06",
         "series that": "2024-08-01", "begin late": "2024-06-03", "last trading day": "2024-09-10",
         "before the others": "2024-12-02", "that are closes": "2024-06-03",
         "nought at the end": "2024-10-21", "given again": "2024-07-11",
         "of one that": "2024-06-03", "last bar far": "2024-12-06",
         "session late": "2024-06-03", "unit for life": "2024-06-03"}
#: What comes along where one cell of a bar has to be blank for another to be odd.
ALONG = {"a volume of nought": {"no open interest"}, "an open far away": {"no open interest"},
         "three bars the same in every cell": {"no open interest"},
         "open interest of nought at the end": {"no open interest", "delivered"}}


def key(finding: Finding) -> tuple[str, str, str]:
    return finding.severity, finding.check, finding.subject


@pytest.mark.parametrize("plant", ALONE)
def test_a_planted_error_is_found_by_its_check_alone(plant):
    bars, severity, check, subject = ALONE[plant]
    news = [
        finding for finding in found(bars)
        if finding.check not in {"two goods"} | ALONG.get(plant, set())
    ]
    assert [key(finding) for finding in news] == [(severity, check, subject)]
    first = next((day for word, day in FIRST.items() if word in plant), "2024-07-10")
    assert f"{news[0].first:%Y-%m-%d}" == first
    assert news[0].what
    assert news[0].cure


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_clean_market_shows_two_goods_and_nothing_else(seed):
    market = Market.from_bars(clean(seed), **beside(seed))
    assert [key(finding) for finding in findings(market)] == [
        ("evidence", "two goods", "si2411|si2412")
    ]


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("times", [0.1, 10, 0.01, 100, 1.3, 0.7])
def test_a_slip_is_found_wherever_it_falls(seed, times):
    dice = np.random.default_rng(seed)
    bars = clean(seed)
    row = bars.iloc[int(dice.integers(len(bars)))]
    where = rows(bars, row["contract"], str(row["date"]))
    bars.loc[where, PRICES] = tick(bars.loc[where, PRICES].to_numpy() * times)
    wrong = [f for f in findings(Market.from_bars(bars)) if f.severity == "wrong"]
    assert [(f.check, f.subject, f.first, f.count) for f in wrong] == [
        ("spike", row["contract"], row["date"], 1)
    ]


@pytest.mark.parametrize(("times", "severity", "check"), [
    (1.1, "evidence", "band"), (1.2, "doubtful", "far move"), (1.5, "wrong", "jump"),
    (0.8, "doubtful", "far move"), (0.5, "wrong", "jump"),
])
def test_a_jump_of_all_contracts_is_as_grave_as_it_is_wide(times, severity, check):
    news = [f for f in found(every("2024-07-10", times, "2024-12-06")) if f.check != "two goods"]
    assert {(f.severity, f.check) for f in news} == {(severity, check)}
    assert {f"{f.first:%Y-%m-%d} {f.last:%Y-%m-%d}" for f in news} == {"2024-07-10 2024-07-10"}
    assert {code for f in news for code in (f.contracts or (f.subject,))} == set(CODES)


def test_two_bars_far_away_leave_the_good_ones_beside_them_unnamed():
    bars = scaled("si2410", "2024-07-10", 1.13, "2024-07-11")
    (told,) = [f for f in found(bars) if f.check != "two goods"]
    assert (told.sessions, told.count) == ("2024-07-10..2024-07-11", 2)


def stretch(first: str, last: str, times: float, code: str = "si2410") -> tuple[str, int]:
    """What is named as wrong where a stretch of a contract's bars was scaled."""
    (told,) = [f for f in found(scaled(code, first, times, last)) if f.severity == "wrong"]
    assert (told.check, told.subject) == ("spike", code)
    return told.sessions, told.count


@pytest.mark.parametrize("times", [0.6, 1.3, 1.5, 10])
def test_after_bars_that_are_wrong_good_ones_are_not(times):
    assert stretch("2024-06-03", "2024-06-03", times) == ("2024-06-03", 1)
    assert stretch("2024-06-03", "2024-06-14", times) == ("2024-06-03..2024-06-14", 9)
    assert stretch("2024-07-10", "2024-07-30", times) == ("2024-07-10..2024-07-30", 15)
    assert stretch("2024-09-16", "2024-10-21", times) == ("2024-09-18..2024-10-21", 19)


def test_two_goods_under_each_others_name_are_wrong_for_as_long_as_they_are():
    bars = clean()
    days = ("2024-08-01", "2024-08-20")
    one, two = rows(bars, "si2411", *days), rows(bars, "si2501", *days)
    swapped = bars.loc[one, PRICES].to_numpy() * 1.15
    bars.loc[one, PRICES] = tick(bars.loc[two, PRICES].to_numpy() * 1.15)
    bars.loc[two, PRICES] = tick(swapped / 1.3)
    wrong = [f for f in found(bars) if f.severity == "wrong"]
    assert {(f.check, f.subject, f.sessions, f.count) for f in wrong} == {
        ("spike", "si2411", "2024-08-01..2024-08-20", 14),
        ("spike", "si2501", "2024-08-01..2024-08-20", 14),
    }


def test_two_contracts_exchanged_for_weeks_are_doubtful():
    bars = clean()
    own = bars["contract"] == "si2501"
    bars.loc[own, PRICES] = tick(bars.loc[own, PRICES].to_numpy() * 1.05)
    days = ("2024-08-01", "2024-08-20")
    one, two = rows(bars, "si2412", *days), rows(bars, "si2501", *days)
    cells = bars.loc[one, PRICES].to_numpy()
    bars.loc[one, PRICES] = bars.loc[two, PRICES].to_numpy()
    bars.loc[two, PRICES] = cells
    (told,) = [f for f in found(bars) if f.check == "exchanged"]
    assert (told.severity, told.subject, told.sessions, told.count) == (
        "doubtful", "si2412|si2501", "2024-08-01..2024-08-20", 14)
    assert told.concerns(["si2501"])


def test_a_single_bar_said_twice_with_its_volume_is_not_yet_frozen():
    bars = clean()
    cells = [name for name in bars if name not in ("date", "contract")]
    first, again = rows(bars, "si2410", "2024-07-10"), rows(bars, "si2410", "2024-07-11")
    bars.loc[again, cells] = bars.loc[first, cells].to_numpy()
    assert not {"frozen", "repeated"} & {f.check for f in found(bars)}


def test_a_settlement_that_is_a_close_says_nothing_of_the_band():
    bars = clean().assign(settle=lambda table: table["close"])
    where = rows(bars, "si2411", "2024-07-10")
    bars.loc[where, "high"] = tick(bars.loc[where, "high"] * 1.09)
    assert {f.check for f in found(bars)} == {"settle is close", "two goods"}


def test_the_step_between_two_standards_is_told_with_its_figures():
    (step,) = found(clean())
    assert step.check == "two goods"
    closes = clean().pivot(index="date", columns="contract", values="close")
    gap = (closes["si2412"] - closes["si2411"]).dropna()
    assert step.count == len(gap)
    assert f"{gap.min():+,.0f} to {gap.max():+,.0f} yuan" in step.what


def test_lots_that_leave_in_the_delivery_month_are_delivered():
    bars = changed("si2410", "2024-10-14", "2024-10-21",
                   open_interest=lambda column: column - 120_000)
    assert [key(f) for f in found(bars) if f.check != "two goods"] == [
        ("evidence", "delivered", "si2410")
    ]


def test_the_close_that_stands_in_is_neither_missing_nor_suspected():
    bars = clean().assign(settle=NAN)
    market = Market.from_bars(bars, settle_from="close")
    assert [f.check for f in findings(market)] == ["two goods"]


def test_a_bar_left_out_is_no_gap():
    market = Market.from_bars(without("si2412", "2024-07-10"))
    left_out = [("si2412", pd.Timestamp("2024-07-10"))]
    assert [f.check for f in findings(market, left_out=left_out)] == ["two goods"]


def spot(change: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    return change(beside()["spot"].reset_index(drop=True))


def quoted(quotes: pd.DataFrame, grade: str, price: Callable[[pd.Series], pd.Series]):
    where = quotes["grade"] == grade
    return quotes.assign(price=quotes["price"].where(~where, price(quotes["price"])))


BESIDE = {
    "spot that ends early": (
        {"spot": spot(lambda q: q[(q["grade"] == "421") | (q["date"] <= "2024-11-20")])},
        "doubtful", "spot stale", "spot 553", "2024-11-20"),
    "spot with a hole": (
        {"spot": spot(lambda q: q[(q["grade"] == "421") | (q["date"] <= "2024-07-10")
                                  | (q["date"] >= "2024-07-22")])},
        "doubtful", "spot gap", "spot 553", "2024-07-10"),
    "441 under two names": (
        {"spot": spot(lambda q: pd.concat([q, q[q["grade"] == "553"].assign(grade="441")]))},
        "wrong", "441 as 553", "spot 553", "2024-06-03"),
    "441 but for a few yuan": (
        {"spot": spot(lambda q: pd.concat([q, q[q["grade"] == "553"].assign(
            grade="441", price=lambda x: x["price"] + 5 * (np.arange(len(x)) % 7 == 0) + 20)]))},
        "doubtful", "441 as 553", "spot 553", "2024-06-03"),
    "a quote ten times too high": (
        {"spot": spot(lambda q: quoted(
            q, "553", lambda p: p.where(q["date"] != "2024-07-10", p * 10)))},
        "wrong", "spot slip", "spot 553", "2024-07-10"),
    "a last quote ten times too low": (
        {"spot": spot(lambda q: quoted(
            q, "421", lambda p: p.where(q["date"] != "2024-12-06", p / 10)))},
        "wrong", "spot slip", "spot 421", "2024-12-06"),
    "a quote a third too high": (
        {"spot": spot(lambda q: quoted(
            q, "421", lambda p: p.where(q["date"] != "2024-07-10", p * 1.33)))},
        "doubtful", "spot slip", "spot 421", "2024-07-10"),
    "a quote that stands still for months": (
        {"spot": spot(lambda q: quoted(q, "421", lambda p: p.where(
            q["date"] < "2024-07-10", 13_995)))},
        "doubtful", "spot still", "spot 421", "2024-07-10"),
    "553 below what 421 leaves": (
        {"spot": spot(lambda q: quoted(q, "421", lambda p: p + 2_500))},
        "doubtful", "grade order", "spot 553", "2024-06-03"),
    "553 above 421": (
        {"spot": spot(lambda q: quoted(q, "421", lambda p: p - 1_000))},
        "doubtful", "grade order", "spot 553", "2024-06-03"),
    "a tenth of the receipts for a day": (
        {"receipts": beside()["receipts"].assign(
            lots=lambda r: r["lots"].where(r["date"] != "2024-07-10", 5_012))},
        "doubtful", "receipts slip", "receipts", "2024-07-10"),
    "receipts in tonnes from a day": (
        {"receipts": beside()["receipts"].assign(
            lots=lambda r: r["lots"].where(r["date"] < "2024-07-10", r["lots"] * 5))},
        "doubtful", "receipts step", "receipts", "2024-07-09"),
    "a tenth of the receipts from a day": (
        {"receipts": beside()["receipts"].assign(
            lots=lambda r: r["lots"].where(r["date"] < "2024-07-10", r["lots"] // 10))},
        "doubtful", "receipts step", "receipts", "2024-07-09"),
    "receipts cancelled in part": (
        {"receipts": beside()["receipts"].assign(
            lots=lambda r: r["lots"].where(r["date"] <= "2024-11-28", 15_504)
            .where(r["date"] != "2024-11-28", 45_431))
            .query("date <= '2024-11-28' or date >= '2024-12-02'")},
        "evidence", "cancellation", "receipts", "2024-11-28"),
    "a margin read as a per cent of a per cent": (
        {"terms": pd.DataFrame({"contract": ["si2412"], "item": ["speculator"],
                                "from": ["2024-07-10"], "value": [0.0009]})},
        "doubtful", "terms", "si2412", "2024-07-10"),
}


@pytest.mark.parametrize("plant", BESIDE)
def test_what_is_odd_beside_the_bars_is_found_by_its_check_alone(plant):
    tables, severity, check, subject, first = BESIDE[plant]
    news = [f for f in found(clean(), **tables) if f.check != "two goods"]
    assert [key(f) for f in news] == [(severity, check, subject)]
    assert f"{news[0].first:%Y-%m-%d}" == first


@pytest.mark.parametrize("premium", [200, 300, 500])
def test_441_dearer_than_553_is_right(premium):
    quotes = spot(lambda q: pd.concat([q, q[q["grade"] == "553"].assign(
        grade="441", price=lambda x: x["price"] + premium)]))
    assert [f.check for f in found(clean(), spot=quotes)] == ["two goods"]


def test_a_user_series_of_441_equal_to_553_is_441():
    quotes = beside()["spot"].query("grade == '553'")
    series = pd.DataFrame({"name": "spot 441", "date": quotes["date"],
                           "published_on": quotes["date"], "value": quotes["price"]})
    wrong = [f for f in found(clean(), series=series) if f.severity == "wrong"]
    assert [key(f) for f in wrong] == [("wrong", "441 as 553", "spot 553")]


def test_the_cancellation_of_receipts_is_told_with_its_figures():
    (told,) = [f for f in found(clean(), **BESIDE["receipts cancelled in part"][0])
               if f.check == "cancellation"]
    assert "45,431 lots on 2024-11-28 to 15,504 on 2024-12-02" in told.what


def test_terms_near_the_file_are_no_finding():
    near = pd.DataFrame({"contract": ["si2412"] * 2, "item": ["speculator", "limit"],
                         "from": ["2024-07-10"] * 2, "value": [0.12, 0.10]})
    assert [f.check for f in found(clean(), terms=near)] == ["two goods"]


def test_the_exchanges_list_is_held_against_the_computed_dates():
    life = contract("si2412")
    listed = pd.DataFrame({"contract": ["si2412", "si2501", "si2612"],
                           "listed": [life.listed, pd.NaT, pd.NaT],
                           "last_trading": [pd.Timestamp("2024-12-16"), pd.NaT, pd.NaT],
                           "last_delivery": [life.last_delivery, pd.NaT, pd.NaT]})
    news = [f for f in findings(Market.from_bars(clean()), listed=listed)
            if f.check != "two goods"]
    assert [key(f) for f in news] == [("doubtful", "contract dates", "si2412")]
    assert "2024-12-16 as last trading day, the rule and the calendar 2024-12-13" in news[0].what


def test_findings_stand_by_severity_and_the_largest_of_a_check_first():
    def made(severity: str, check: str, count: int) -> Finding:
        return Finding(severity, check, f"si24{count:02d}", None, None, count, "what", "cure")

    mixed = [made("evidence", "a", 1), made("doubtful", "gap", 1), made("wrong", "b", 1),
             made("doubtful", "gap", 7), made("doubtful", "other", 3)]
    assert [(f.severity, f.check, f.count) for f in ordered(mixed)] == [
        ("wrong", "b", 1), ("doubtful", "gap", 7), ("doubtful", "gap", 1),
        ("doubtful", "other", 3), ("evidence", "a", 1)]
    assert summary(mixed)[1] == "doubtful, gap: si2407: what; cure (and 1 more: si2401)"


def test_a_finding_is_one_line_with_its_sessions():
    days = pd.Timestamp("2024-07-10"), pd.Timestamp("2024-07-11")
    gap = Finding("doubtful", "gap", "si2412", *days, 2, "no bar", "bring it")
    assert gap.line == "doubtful, gap: si2412 2024-07-10..2024-07-11: no bar; bring it"


def test_a_finding_is_a_record_of_plain_values():
    day = pd.Timestamp("2024-07-10")
    gap = Finding("doubtful", "gap", "2 contracts", day, None, 2, "no bar", "bring it", ("si2412",))
    assert gap.record == {
        "severity": "doubtful", "check": "gap", "subject": "2 contracts", "first": "2024-07-10",
        "last": None, "count": 2, "what": "no bar", "cure": "bring it"}
    assert gap.concerns(["si2412", "si2501"])
    assert not gap.concerns(["si2501"])


def test_the_sample_has_nothing_wrong_and_nothing_doubtful():
    market = load_market("sample")
    assert {f.severity for f in findings(market)} == {"evidence"}


def test_the_recorded_prices_have_their_known_flaws_and_nothing_wrong(shared_market):
    told = findings(load_market(shared_market / "si_contracts_d1.csv"))
    by = {(f.check, f.subject): f for f in told}
    assert "wrong" not in {f.severity for f in told}
    assert by["gap", "si2504"].count == 41  # missing days in a thin contract
    assert by["close only", "48 contracts"].count == 7_959
    assert by["no settlement", "si2411"].first == pd.Timestamp("2024-09-25")
    assert by["last day", "si2411"].first == pd.Timestamp("2024-11-14")
    assert "400 yuan" in by["far open", "si2411"].what
    assert by["band", "si2509"].first == pd.Timestamp("2025-07-23")
    assert "+2,175 to +3,285" in by["two goods", "si2411|si2412"].what
    assert "9,720 on 2024-10-16 (si2411) to 12,680 on 2024-10-17 (si2412" in by[
        "two goods", "si2411|si2412"].what
    assert "delivered" in {f.check for f in told}
    # What could not be told from a right market is no check.
    assert not {"far move", "stranger", "shifted", "exchanged", "frozen"} & {f.check for f in told}


@pytest.mark.parametrize("name", ["lc", "ps"])
def test_other_recorded_products_have_nothing_wrong(shared_market, name):
    told = findings(load_market(shared_market / f"{name}_contracts_close_d1.csv"))
    assert {f.check for f in told if f.severity != "evidence"} == {"gap", "early end", "close only"}
    assert "wrong" not in {f.severity for f in told}
