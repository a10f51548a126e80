"""The sample market is well formed, regenerates to the byte and has the shape of the real one."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sibt.market import calendar
from sibt.market.contract import contract
from sibt.sources import load_market
from sibt.sources.sample import SEED, _main, generate, write

COMMITTED = Path(__file__).resolve().parents[2] / "data" / "sample"
TABLES = ("bars", "spot", "receipts")
PRICES = ["open", "high", "low", "close", "settle"]


@cache
def sample() -> dict[str, pd.DataFrame]:
    return generate()


@pytest.fixture
def bars() -> pd.DataFrame:
    return sample()["bars"].copy()


@pytest.fixture
def traded(bars: pd.DataFrame) -> pd.DataFrame:
    return bars[bars["volume"] > 0]


def wide(table: pd.DataFrame, field: str) -> pd.DataFrame:
    return table.pivot(index="date", columns="contract", values=field)


def banded(table: pd.DataFrame) -> pd.DataFrame:
    """Bars with the price band of each session, exact in integers, rounded inward."""
    parts = []
    for code, life in table.groupby("contract"):
        limit = contract(str(code)).product.price_limit(str(code), pd.DatetimeIndex(life["date"]))
        points = np.round(limit * 10_000).astype("int64")[1:]
        before = life["settle"].to_numpy().astype("int64")[:-1]
        part = life.iloc[1:].copy()
        part["low_limit"] = -(-before * (10_000 - points) // 50_000) * 5
        part["high_limit"] = before * (10_000 + points) // 50_000 * 5
        parts.append(part)
    return pd.concat(parts)


def dominant(table: pd.DataFrame) -> pd.DataFrame:
    return table.loc[table.groupby("date")["open_interest"].idxmax()].set_index("date")


def own_returns(table: pd.DataFrame, chosen: pd.Series) -> pd.Series:
    """Daily change of the close of each session's chosen contract, share of price."""
    change = wide(table, "close").pct_change(fill_method=None).stack()
    return change.reindex(list(zip(chosen.index, chosen, strict=True))).dropna()


# --- The files -----------------------------------------------------------------------------


def test_regenerating_gives_the_committed_bytes(tmp_path: Path):
    write(tmp_path)
    written = {p.name for p in tmp_path.iterdir()}
    assert written == {"SIMULATED", *(f"{t}.csv" for t in TABLES)}
    for name in TABLES:
        fresh = (tmp_path / f"{name}.csv").read_bytes()
        assert fresh == (COMMITTED / f"{name}.csv").read_bytes(), name
        assert b"\r" not in fresh
        assert b"." not in fresh, "prices and lots are whole"


def test_files_are_small():
    assert (COMMITTED / "bars.csv").stat().st_size < 400_000


def test_readme_says_simulated():
    assert "SIMULATED" in (COMMITTED / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_another_seed_is_another_market_of_the_same_form():
    other = generate(SEED + 1)
    for name in TABLES:
        assert list(other[name].columns) == list(sample()[name].columns)
    keys = ["date", "contract"]
    assert other["bars"][keys].equals(sample()["bars"][keys])
    assert (other["bars"]["close"] != sample()["bars"]["close"]).mean() > 0.9


def test_module_writes_a_folder_and_asks_for_one(tmp_path, capsys):
    assert _main([str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / "bars.csv").exists()
    assert _main([]) == 2
    assert "Usage" in capsys.readouterr().err


def test_loads_as_the_default_market_without_a_doubtful_row():
    market = load_market("sample")
    assert market.provenance.simulated
    assert not [n for n in market.provenance.notes if "imulated" not in n]
    assert market.contracts[0] == "si2308"
    assert market.contracts[-1] == "si2512"


# --- Every row -----------------------------------------------------------------------------


def test_one_row_for_every_session_of_every_life(bars):
    end = pd.Timestamp("2024-12-31")
    months = pd.period_range("2023-08", "2025-12", freq="M")
    assert sorted(bars["contract"].unique()) == [f"si{month:%y%m}" for month in months]
    known = calendar.sessions()
    for code, rows in bars.groupby("contract"):
        life = contract(code)
        due = known[(known >= life.listed) & (known <= min(life.last_trading, end))]
        assert rows["date"].tolist() == due.tolist(), code


def test_prices_lie_on_the_tick(bars):
    prices = bars[PRICES].to_numpy(dtype=float)
    assert (prices[~np.isnan(prices)] % 5 == 0).all()


def test_high_and_low_enclose_the_session(traded):
    for name in ("open", "close", "settle"):
        assert (traded["low"] <= traded[name]).all()
        assert (traded[name] <= traded["high"]).all()


def test_every_price_lies_inside_the_band_of_its_session(bars):
    rows = banded(bars)
    for name in PRICES:
        known = rows[rows[name].notna()]
        assert (known[name] >= known["low_limit"]).all(), name
        assert (known[name] <= known["high_limit"]).all(), name


def test_a_session_without_a_trade_repeats_the_settlement(bars):
    idle = bars["volume"] == 0
    before = bars.groupby("contract")["settle"].shift()
    held = bars.groupby("contract")["open_interest"].shift()
    assert idle.sum() > 50
    assert bars.loc[idle, ["open", "high", "low"]].isna().all(axis=None)
    assert (bars["close"] == before)[idle].all()
    assert (bars["settle"] == before)[idle].all()
    assert (bars["open_interest"] == held)[idle].all()
    assert bars.loc[~idle, PRICES].notna().all(axis=None)


def test_open_interest_moves_by_no_more_than_was_traded(bars):
    held = bars.groupby("contract")["open_interest"].shift(fill_value=0)
    assert ((bars["open_interest"] - held).abs() <= bars["volume"]).all()
    assert (bars["open_interest"] >= 0).all()


def test_settlement_is_not_the_close(traded):
    lively = traded[traded["volume"] >= 1000]
    assert (lively["settle"] != lively["close"]).mean() > 0.9


def test_some_sessions_lock_at_the_limit_and_others_only_touch_it(bars):
    rows = banded(bars[bars["volume"] > 0])
    at_limit = (rows["high"] == rows["high_limit"]) | (rows["low"] == rows["low_limit"])
    locked = at_limit & (rows["high"] == rows["low"])
    assert 5 <= locked.sum() <= 40
    assert (at_limit & ~locked).sum() >= 5
    # The day one leg of the reverse spread cannot be bought back or sold, and the other can.
    day = rows[(rows["date"] == "2024-09-19") & locked]["contract"].tolist()
    assert "si2411" in day
    assert "si2412" not in day


# --- Published figures ---------------------------------------------------------------------


def test_listing_day_settles_about_the_benchmark(bars):
    # 18,500 for all five; a day's range was several per cent.
    day = bars[bars["date"] == "2022-12-22"]
    assert len(day) == 5
    assert day["settle"].to_numpy() == pytest.approx(18_500, abs=400)


def test_low_to_date_of_march_2024(bars):
    # 11,930 by 2024-03-29; a walk between turning points may find it some sessions earlier.
    lows = dominant(bars)["low"][:"2024-03-29"]
    assert lows.min() == pytest.approx(11_930, abs=75)
    assert lows.idxmin() >= pd.Timestamp("2024-03-18")


def test_listing_of_si2412(bars):
    # Listed about 14,200, 2,000 to 2,300 above si2411.
    day = wide(bars[bars["date"] == "2024-04-17"], "close").iloc[0]
    assert day["si2412"] == pytest.approx(14_200, abs=300)
    assert 2000 <= day["si2412"] - day["si2411"] <= 2300


@pytest.mark.parametrize(("day", "lots"), [("2024-02-29", 159_200), ("2024-03-15", 229_200)])
def test_total_open_interest(bars, day, lots):
    # Each contract is cut to whole lots: a few are missing.
    assert bars.loc[bars["date"] == day, "open_interest"].sum() == pytest.approx(lots, abs=30)


def test_receipts_are_cancelled_in_part_at_the_end_of_november():
    lots = sample()["receipts"].set_index("date")["lots"]
    assert lots.index[0] >= pd.Timestamp("2023-06-01"), "delivery opened then"
    assert lots.min() >= 0
    assert lots["2024-11-28"] == pytest.approx(45_431, abs=1)
    assert lots["2024-12-02"] == pytest.approx(15_504, abs=1)
    assert 0.3 < lots["2023-12-01"] / lots["2023-11-29"] < 0.7
    assert lots["2024-12-31"] > 2 * lots["2024-12-02"]
    assert lots.diff().drop(pd.to_datetime(["2023-12-01", "2024-12-02"])).min() > -2000


def test_spot_quotes():
    spot = sample()["spot"].pivot(index="date", columns="grade", values="price")
    # Published ranges for the day.
    assert 11_600 <= spot.loc["2024-11-07", "553"] <= 11_700
    assert 12_700 <= spot.loc["2024-11-07", "421"] <= 13_000
    assert (spot.stack().dropna() % 50 == 0).all()
    assert ((spot.diff() == 0).mean() > 0.5).all(), "unchanged on most days"
    days = sample()["bars"]["date"].nunique()
    unknown = days - spot.notna().sum()
    assert ((unknown >= 2) & (unknown <= 6)).all(), "a few days have no quote"


def test_basis_is_bounded_and_reverts():
    bars, spot = sample()["bars"], sample()["spot"]
    front = dominant(bars)["close"][:"2024-09-30"]
    basis = (spot[spot["grade"] == "421"].set_index("date")["price"] - 2000 - front).dropna()
    assert abs(basis.mean()) < 400
    assert basis.std() < 600, "futures alone have a deviation of some 2,000"
    assert basis.abs().max() < 2000
    assert (np.sign(basis).diff() != 0).sum() > 10, "it changes its sign"


# --- What the shipped strategies need ------------------------------------------------------


def test_reverse_spread_can_be_traded_and_widens(bars):
    close, volume = wide(bars, "close"), wide(bars, "volume")
    spread = close["si2412"] - close["si2411"]
    assert 300 < spread["2024-10-31"] - spread["2024-05-15"] < 700
    life = volume.loc["2024-05-15":"2024-10-31", ["si2411", "si2412"]]
    assert life.min(axis=None) >= 500, "ten units at a tenth of the volume, with room"
    assert life.loc["2024-05-15":"2024-05-31"].median().min() > 2000


@pytest.mark.parametrize("ratio", [0.6, 0.7, 0.8, 0.9])
def test_producer_hedge_is_signalled_in_march(bars, ratio):
    close = wide(bars, "close")
    signal = (close["si2410"] - close["si2404"])["2024-03-01":"2024-03-28"]
    # Full carry over the six months is about 525 (515 to 535).
    assert signal.max() >= ratio * 525
    assert signal.max() < 525, "nobody leaves full carry on the table"
    assert signal.min() > 200


def test_rallies_can_be_sold_and_the_target_is_reached(bars):
    front = dominant(bars)
    spring = front.loc["2024-04-01":"2024-06-30"]
    assert spring["high"].max() > 12_500
    assert (spring["close"].between(12_000, 12_500)).any()
    old = front[front["contract"] <= "si2411"]
    assert (old.loc["2024-05-01":, "low"] <= 11_500).any()


# --- Against recorded prices ---------------------------------------------------------------


@pytest.fixture
def real(shared_market: Path) -> pd.DataFrame:
    table = pd.read_csv(shared_market / "si_contracts_d1.csv", parse_dates=["date"])
    return table[table["date"] <= "2024-12-31"]


@pytest.fixture
def real_dominant(shared_market: Path) -> pd.DataFrame:
    table = pd.read_csv(
        shared_market / "SI0_sina_continuous_d1.csv", parse_dates=["date"], index_col="date"
    ).loc[:"2024-12-31"]
    # A few days are mapped to two contracts, "a|b"; the first stands for them.
    return table.assign(contract=table["mapped_contract"].str.slice(0, 6))


def test_volatility_is_that_of_the_real_market(bars, real, real_dominant):
    ours = own_returns(bars, dominant(bars)["contract"])
    theirs = own_returns(real, real_dominant["contract"])
    # 490 days of fat-tailed returns leave a standard error of about 5 %.
    assert ours.std() == pytest.approx(theirs.std(), rel=0.15)
    for half in ("2023H1", "2023H2", "2024H1", "2024H2"):
        start = pd.Period(half.replace("H1", "-01").replace("H2", "-07"), "M").to_timestamp()
        end = start + pd.DateOffset(months=6)
        own, other = (r[start:end].std() for r in (ours.droplevel(1), theirs.droplevel(1)))
        # A quarter of the days, and single wild ones among them.
        assert own == pytest.approx(other, rel=0.25), half


def pair_correlations(table: pd.DataFrame, months: int) -> list[float]:
    change = wide(table, "close").diff()
    codes = sorted(change.columns)
    pairs = [change[[a, b]].dropna() for a, b in zip(codes, codes[months:], strict=False)]
    return [float(p.corr().iloc[0, 1]) for p in pairs if len(p) > 40]


@pytest.mark.parametrize("months", [1, 3, 6])
def test_near_and_far_move_together_as_in_the_real_market(bars, real, months):
    ours, theirs = pair_correlations(bars, months), pair_correlations(real, months)
    # The median over some twenty pairs; it differs by as much between the real half-years.
    assert np.median(ours) == pytest.approx(np.median(theirs), abs=0.05)


@pytest.mark.parametrize("year", ["23", "24"])
def test_november_december_pairs_are_those_of_the_real_market(bars, real, year):
    spreads = []
    for table in (bars, real):
        close = wide(table, "close")
        spread = close[f"si{year}12"] - close[f"si{year}11"]
        spreads.append(spread.loc[f"20{year}-05-15" : f"20{year}-10-31"].dropna())
    ours, theirs = spreads
    # A level of 400 to 3,000 that wanders by 250: met to within half of that, and so are
    # its ends, which the calendar strategy trades.
    assert ours.mean() == pytest.approx(theirs.mean(), abs=125)
    assert ours.iloc[0] == pytest.approx(theirs.iloc[0], abs=125)
    assert ours.iloc[-1] == pytest.approx(theirs.iloc[-1], abs=125)
    # Swings of one path: right to within a half.
    assert ours.std() == pytest.approx(theirs.std(), rel=0.5)


def ordinary_steps(table: pd.DataFrame) -> pd.Series:
    """Mean far − near of every adjacent pair that November does not part."""
    close = wide(table, "close")
    codes = sorted(close.columns)
    pairs = [p for p in pairwise(codes) if not p[0].endswith("11")]
    means = {p[0]: (close[p[1]] - close[p[0]]).dropna() for p in pairs}
    return pd.Series({name: s.mean() for name, s in means.items() if len(s) >= 30})


def test_other_adjacent_pairs_are_small_and_mostly_in_contango(bars, real):
    ours, theirs = ordinary_steps(bars), ordinary_steps(real)
    assert ours.between(-70, 135).all(), "the range named for such pairs"
    # A month's carry is about 85 yuan: met to within a third of it.
    assert ours.mean() == pytest.approx(theirs.mean(), abs=30)


def test_dominant_volume_has_the_profile_of_the_real_market(bars, real_dominant):
    ours, theirs = dominant(bars)["volume"], real_dominant["volume"]
    # Volumes span a factor of twenty between 2023 and 2024.
    assert 2 / 3 < ours.median() / theirs.median() < 3 / 2
    for share in (0.05, 0.25, 0.75, 0.95):
        assert 0.5 < ours.quantile(share) / theirs.quantile(share) < 2, share


def test_settlement_strays_from_the_close_as_in_the_real_market(bars, real_dominant):
    front = dominant(bars)
    ours = front["settle"] / front["close"] - 1
    theirs = real_dominant["settle"] / real_dominant["close"] - 1
    assert ours.std() == pytest.approx(theirs.std(), rel=0.2)
    # Range of a session, the other half of an intraday path.
    span, real_span = (
        ((t["high"] - t["low"]) / t["close"]).median() for t in (front, real_dominant)
    )
    assert span == pytest.approx(real_span, rel=0.2)


def test_recorded_prices_are_not_in_it(bars, real):
    both = bars.merge(real, on=["date", "contract"], suffixes=("", "_real"))
    # Two unlike walks through the same hundreds of yuan meet by chance about once in a hundred.
    assert (both["close"] == both["close_real"]).mean() < 0.02
    assert (both["close"] - both["close_real"]).abs().median() > 100
    # Days do not rise and fall together.
    change = wide(bars, "close").diff().stack()
    other = wide(real, "close").diff().stack()
    together = pd.concat([change, other], axis=1, join="inner")
    assert abs(together.corr().iloc[0, 1]) < 0.2


def test_a_copy_of_the_sample_is_still_simulated(tmp_path):
    write(tmp_path)
    assert load_market(tmp_path).provenance.simulated
    assert load_market(tmp_path / "bars.csv").provenance.simulated
