"""Every chart of a run holds what the run's tables hold, in every language, gaps as gaps."""

import json
import re
from dataclasses import replace
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from sibt import charts
from sibt.engine.execution import Execution
from sibt.engine.ledger import FILL_REASONS, OFFSETS
from sibt.engine.prices import SHORTFALLS
from sibt.language import BOTH, EN, ZH, pick
from sibt.report.charts import marks
from sibt.report.charts.drawing import line, span
from sibt.report.charts.palette import palette
from sibt.report.page import chart
from sibt.report.shortfalls import why
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.strategy import Strategy

AT_CLOSE = Execution(fill="close", slippage=0, participation=None)
SHIPPED = ("calendar_reverse", "short_rallies", "producer_hedge", "trader_hedge")
#: Charts whose x axis is time.
OVER_TIME = ("equity", "margin", "risk", "legs", "split", "price", "entry_days", "monthly", "hedge")
DRAWN = (*OVER_TIME, "curves")
WHERE = [f"{data} {name}" for data in ("sample", "recorded") for name in SHIPPED]


class Turns(Strategy):
    """A butterfly, long, flat and short in turn; legs trade apart and volume is scarce."""

    def legs(self, market, p):
        return {"si2409": 1, "si2410": -2, "si2411": 1}

    def units(self, market, p):
        turn = np.arange(len(market.sessions)) // 4 % 3 - 1
        life = (market.sessions >= "2024-04-01") & (market.sessions < "2024-08-20")
        return pd.Series(np.where(life, turn * 30, 0.0), index=market.sessions)


class Never(Turns):
    def units(self, market, p):
        return pd.Series(0.0, index=market.sessions)


class Early(Never):
    """Known before the market begins."""

    def known_from(self, p):
        return "2020-01-02"


@cache
def sample():
    return load_market("sample")


@pytest.fixture(scope="module")
def recorded(shared_market):
    market = load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    # The folder has no quotes; what a hedge needs is made up from its closes.
    codes = market.dominant(cross_standard=True)
    quotes = [market.close[n, market.column(c)] if isinstance(c, str) else np.nan
              for n, c in enumerate(codes)]
    spot = pd.DataFrame({"553": quotes}, index=market.sessions)
    spot.iloc[::9] = np.nan
    return replace(market, spot=spot)


@cache
def made(name: str, market=None, **given):
    strategy = {"turns": Turns(), "never": Never(), "early": Early()}.get(name, name)
    return run(strategy, sample() if market is None else market, **given)


@pytest.fixture(scope="module", params=WHERE)
def done(request):
    data, name = request.param.split()
    if data == "sample":
        return made(name)
    return made(name, request.getfixturevalue("recorded"), execution=AT_CLOSE)


def turns():
    """Return a run of three legs that often do not fill together."""
    return made("turns", execution=Execution(pairing="legged", participation=0.001))


@cache
def squeezed():
    """Return a run that is cut by margin calls, rolls, and leaves by date."""
    return run("short_rallies", sample(), {"light": 0.9}, capital=200_000.0)


@cache
def paid_in():
    """Return a run that answers margin calls with deposits."""
    return run("short_rallies", sample(), {"light": 0.8}, capital=200_000.0,
               account={"on_call": "deposit"})


def figures(done, t=EN) -> dict:
    found = {name: getattr(charts, name)(done, t) for name in DRAWN}
    return {name: figure for name, figure in found.items() if figure is not None}


def written(figure) -> dict:
    """Return a figure as a page holds it."""
    text = chart(figure)
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text, re.S)[1])


def trace(figure, name: str):
    found = [one for one in figure.data if one.name == name]
    assert len(found) == 1, (name, [one.name for one in figure.data])
    return found[0]


def marked(figure) -> dict[str, int]:
    return {one.meta["kind"]: len(one.x) for one in figure.data if one.meta}


def last(values) -> float:
    return next(v for v in reversed(list(values)) if not np.isnan(v))


# -- every chart, every run ------------------------------------------------------------------


def test_every_chart_that_says_something_is_drawn(done):
    absent = set(DRAWN) - set(figures(done))
    expected = set()
    if done.hedge is None:
        expected.add("hedge")
    if done.few_days is None:
        expected.add("entry_days")
    if len(done.result.job.legs) == 1:
        expected.add("split")
    assert absent == expected


def test_every_axis_says_what_it_measures_and_every_trace_what_it_shows(done):
    for name, figure in figures(done).items():
        assert figure.layout.title.text, name
        assert figure.layout.yaxis.title.text in {"yuan", "yuan/t", "%"}, name
        for one in figure.data:
            assert one.hovertemplate, name
            assert one.name or len(figure.data) == 1, name


def test_simulated_data_are_called_so_and_recorded_ones_are_not(done):
    for figure in figures(done).values():
        titled = figure.layout.title.text.startswith("SIMULATED · ")
        assert titled == done.market.provenance.simulated


def test_no_session_is_left_out(done):
    days = done.market.sessions.strftime("%Y-%m-%d").tolist()
    for name in ("equity", "margin", "risk", "legs"):
        for one in figures(done)[name].data:
            if one.meta is None:
                assert list(one.x) == days
    assert sorted(set(figures(done)["price"].data[0].x)) == days


def test_both_languages_at_once_are_each_of_them(done):
    """But for colours, which a page resolves, and which therefore are names there."""
    both = {name: chart(figure) for name, figure in figures(done, BOTH).items()}
    for t in (EN, ZH):
        names = {shade: f"var(--{name})" for name, shade in palette(t).items()}
        for name, figure in figures(done, t).items():
            alone = re.sub(r"#[0-9a-f]{6}", lambda found, names=names: names[found[0]],
                           json.dumps(written(figure), ensure_ascii=False))
            text = pick(both[name], t.name)
            page = re.search(r'<script type="application/json">(.*?)</script>', text, re.S)[1]
            # In colours gain is that of another name too.
            plain = [re.sub(r"var\(--(up|down|green|red)\)", "", json.dumps(json.loads(one),
                     ensure_ascii=False)) for one in (alone, page)]
            assert plain[0] == plain[1], name


def test_a_page_gets_names_of_colours_and_a_notebook_colours(done):
    for name, figure in figures(done, BOTH).items():
        assert not re.search(r'"#[0-9a-f]{3,6}"', json.dumps(written(figure))), name
    for name, figure in figures(done, EN).items():
        assert "var(--" not in json.dumps(figure.to_plotly_json(), default=list), name


def english_in(done) -> list[tuple[str, str]]:
    """Return what is not Chinese in the Chinese charts."""
    found = []
    for name, figure in figures(done, ZH).items():
        said = [figure.layout.title.text, figure.layout.yaxis.title.text or ""]
        said += [note.text for note in figure.layout.annotations]
        said += [one.name or "" for one in figure.data]
        said += [re.sub(r"<[^>]*>|%\{[^}]*\}", "", one.hovertemplate) for one in figure.data]
        said += [word.replace("<br>", " ") for one in figure.data if one.meta and one.text
                 for word in one.text]
        for text in said:
            left = re.sub(r"SIMULATED|si\d{4}|main|hedge|far|near", "", text)
            if re.search(r"[A-Za-z]{2,}", left):
                found.append((name, text))
    return found


def test_chinese_has_no_english_words(done):
    assert english_in(done) == []


@pytest.mark.parametrize("make", [squeezed, paid_in, turns])
def test_chinese_has_no_english_words_for_what_goes_wrong(make):
    assert english_in(make()) == []


def test_the_same_run_gives_the_same_bytes(done):
    for name in figures(done):
        assert chart(getattr(charts, name)(done, BOTH)) == chart(getattr(charts, name)(done, BOTH))


def test_a_figure_can_be_changed():
    figure = charts.equity(made("calendar_reverse"))
    figure.update_layout(title="mine", height=300)
    figure.update_traces(line_width=3)
    figure.add_hline(y=1)
    assert figure.layout.title.text == "mine"
    assert figure.data[0].line.width == 3


# -- when the idea became known, and the days shown -------------------------------------------


def test_the_day_the_idea_became_known_is_a_dashed_line_through_every_chart_over_time(done):
    day = done.strategy.known_from(done.params)
    for name, figure in figures(done).items():
        lines = [one for one in figure.layout.shapes if one.name == "known"]
        words = [note.text for note in figure.layout.annotations if note.text == "known"]
        if name == "curves":
            assert not lines
            continue
        assert [(one.x0, one.x1, one.yref, one.line.dash) for one in lines] == [
            (day, day, "paper", "dash")], name
        assert words == ["known"], name
        # It is drawn, not left beside the days shown.
        begin, end = figure.layout.xaxis.range
        assert begin < day < end, name


@pytest.mark.parametrize("name", ["never", "early"])
def test_no_line_where_no_day_is_known_or_none_of_the_market(name):
    for figure in figures(made(name)).values():
        assert [one for one in figure.layout.shapes if one.name == "known"] == []
        assert "known" not in [note.text for note in figure.layout.annotations]


def test_the_days_shown_hold_all_that_was_done_and_little_else(done):
    first, end = span(done)
    sessions = done.market.sessions
    inside = sessions[first : end + 1]
    for table in (done.result.fills, done.result.unfilled, done.result.positions):
        assert table["session"].isin(inside).all()
    begun, ended = len(sessions) - len(done.result.returns), busy_until(done)
    if done.hedge is not None:
        begun = min(begun, int((done.hedge.book.tonnes != 0).to_numpy().argmax()))
    around = max(10, (ended - begun) // 12)
    assert (first, end) == (begun - around, min(ended + around, len(sessions) - 1))


def busy_until(done) -> int:
    """Return the last session with an order, a lot or a tonne."""
    tables = (done.result.fills, done.result.unfilled, done.result.positions)
    days = [table["session"].max() for table in tables if len(table)]
    if done.hedge is not None:
        owned = done.hedge.book.tonnes
        days.append(owned.index[owned != 0][-1])
    return done.market.sessions.get_loc(max(days))


def test_a_run_without_a_position_is_drawn_whole():
    quiet = made("never")
    assert span(quiet)[1] == len(quiet.market.sessions) - 1
    assert set(figures(quiet)) == set(DRAWN) - {"hedge", "entry_days", "curves"}
    assert marked(charts.price(quiet)) == {}


# -- the account -------------------------------------------------------------------------------


def test_equity_is_the_statements_and_drawdown_the_metrics(done):
    figure = charts.equity(done)
    np.testing.assert_array_equal(trace(figure, "equity").y, done.result.statement["equity"])
    fall = trace(figure, "below the peak")
    assert min(fall.y) == pytest.approx(done.result.metrics["max_drawdown_yuan"], abs=0.01)
    assert min(fall.customdata) == pytest.approx(done.result.metrics["max_drawdown"], abs=1e-8)
    # The axis is free to show the worst of it.
    assert figure.layout.yaxis2.range is None


def test_deposits_are_no_gain():
    done = paid_in()
    assert done.result.metrics["deposits"] > 0
    figure, s = charts.equity(done), done.result.statement
    own = trace(figure, "equity without deposits").y
    assert own[-1] == pytest.approx(200_000 + done.result.metrics["net"])
    assert min(trace(figure, "below the peak").y) == pytest.approx(
        done.result.metrics["max_drawdown_yuan"], abs=0.01)
    assert s["equity"].iloc[-1] > own[-1]
    assert len(charts.equity(made("short_rallies")).data) == 2


@pytest.mark.parametrize("make", [squeezed, paid_in])
@pytest.mark.parametrize("name", ["margin", "risk"])
def test_every_margin_call_is_marked_and_says_how_much(make, name):
    done = make()
    called = done.result.statement[done.result.statement["margin_call"] > 0]
    figure = getattr(charts, name)(done)
    assert marked(figure) == {"call": len(called)}
    assert len(called) == done.result.metrics["margin_calls"] > 0
    drawn = trace(figure, "margin call")
    assert list(drawn.x) == called.index.strftime("%Y-%m-%d").tolist()
    assert [row[0] for row in drawn.customdata] == called["margin_call"].tolist()
    assert [row[1] for row in drawn.customdata] == called["deposit"].tolist()
    assert list(drawn.y) == called[name].tolist()


def test_without_margin_calls_nothing_is_marked(done):
    assert done.result.metrics["margin_calls"] == 0
    assert marked(charts.margin(done)) == marked(charts.risk(done)) == {}


def test_margin_available_and_risk_degree_are_the_statements(done):
    s = done.result.statement
    figure = charts.margin(done)
    np.testing.assert_array_equal(trace(figure, "margin").y, s["margin"])
    np.testing.assert_array_equal(trace(figure, "available").y, s["available"])
    np.testing.assert_array_equal(charts.risk(done).data[0].y, s["risk"])


def test_a_bust_account_has_an_unknown_risk_degree_and_its_call_is_marked_all_the_same():
    done = squeezed()
    statement = done.result.statement.copy()
    day = statement.index[statement["margin_call"] > 0][0]
    statement.loc[day, "risk"] = np.nan
    bust = replace(done, result=replace(done.result, statement=statement))
    figure = charts.risk(bust)
    assert written(figure)["data"][0]["y"].count(None) == 1
    assert trace(figure, "margin call").y[0] == 0.0


# -- price and marks ----------------------------------------------------------------------------


def counted(done) -> dict[str, int]:
    """Count sessions by kind of fill, straight from the tables."""
    fills, legs = done.result.fills, done.result.job.legs
    lead, sign = fills["leg"] == legs[0], int(np.sign(done.result.job.ratio[0]))
    signal = fills["reason"] == "signal"
    opened = signal & (fills["offset"] == "open")
    up = "buy" if len(legs) == 1 or sign > 0 else "sell"
    which = {
        "closed": signal & (fills["offset"] != "open"),
        "rolled": fills["reason"] == "roll",
        "forced": ~fills["reason"].isin(["signal", "roll"]),
        "bought": opened & lead & (fills["side"] == up),
        "sold": opened & lead & (fills["side"] != up),
    }
    found = {kind: fills.loc[rows, "session"].nunique() for kind, rows in which.items()}
    found["unfilled"] = done.result.unfilled["session"].nunique()
    return {kind: n for kind, n in found.items() if n}


def test_a_sessions_fills_of_one_kind_are_one_mark(done):
    figure = charts.price(done)
    assert marked(figure) == counted(done)
    assert len(figure.data) == 1 + len(counted(done))


def test_the_counts_are_known_of_the_sample():
    assert marked(charts.price(made("calendar_reverse"))) == {"forced": 1, "sold": 1}
    assert marked(charts.price(made("short_rallies"))) == {
        "closed": 1, "rolled": 4, "forced": 1, "bought": 1, "sold": 1}
    assert marked(charts.price(made("producer_hedge")))["unfilled"] == 24


@pytest.mark.parametrize("make", [squeezed, turns])
def test_every_fill_and_every_unfilled_order_stands_in_one_mark(make):
    done = make()
    figure = charts.price(done)
    said = [(one.meta["kind"], day, text) for one in figure.data if one.meta
            for day, whole in zip(one.x, one.text, strict=True) for text in whole.split("<br>")]
    filled = [(day, text) for kind, day, text in said if kind != "unfilled"]
    offsets = {"open": "to open", "close": "to close", "close_today": "to close today's"}
    assert sorted(filled) == sorted(
        (f"{f.session:%Y-%m-%d}", (f"{f.side} {f.lots:,} {f.contract} {offsets[f.offset]} at"
                                   f" {f.price:,.2f}, fee {f.fee:,.2f} yuan ({f.reason})"))
        for f in done.result.fills.itertuples()
    )
    short = [(day, text) for kind, day, text in said if kind == "unfilled"]
    assert len(short) == len(done.result.unfilled) > 0
    for (day, text), order in zip(sorted(short), sorted(
        done.result.unfilled.itertuples(index=False), key=lambda o: (o.session, o.contract)
    ), strict=True):
        assert day == f"{order.session:%Y-%m-%d}"
        assert text.startswith(f"{order.contract}: wanted {order.wanted:+,} lots, filled"
                               f" {order.filled:+,} (")


def test_a_spread_is_near_less_far_and_its_marks_stand_at_the_fills(recorded):
    done = made("calendar_reverse", recorded, execution=AT_CLOSE)
    figure = charts.price(done)
    near, far = (recorded.frame("close")[code] for code in ("si2411", "si2412"))
    np.testing.assert_array_equal(figure.data[0].y, near - far)
    points = {one.meta["kind"]: (one.x[0], one.y[0]) for one in figure.data if one.meta}
    assert points == {"sold": ("2024-05-15", 12_050 - 14_465),
                      "forced": ("2024-10-31", 10_270 - 13_130)}
    assert figure.layout.title.text == "Spread si2411 − si2412"


def test_marks_of_a_single_leg_stand_at_the_lot_weighted_fill():
    done = squeezed()
    fills = done.result.fills
    own = fills[~fills["reason"].isin(["signal", "roll"])]
    paid = (own["price"] * own["lots"]).groupby(own["session"]).sum()
    drawn = trace(charts.price(done), "forced exit")
    np.testing.assert_allclose(drawn.y, paid / own.groupby("session")["lots"].sum())


def test_a_roll_is_marked_at_the_contract_it_went_into():
    done = made("short_rallies")
    fills = done.result.fills
    into = fills[(fills["reason"] == "roll") & (fills["offset"] == "open")]
    drawn = trace(charts.price(done), "rolled")
    assert list(drawn.y) == into["price"].tolist()
    assert all(text.count("(roll)") == 2 for text in drawn.text)


def test_a_rolled_leg_is_drawn_at_the_contract_held_with_a_gap_at_each_roll():
    done = made("short_rallies")
    drawn, market = charts.price(done).data[0], done.market
    shown = pd.DataFrame({"y": drawn.y, "text": drawn.text}, index=pd.DatetimeIndex(drawn.x))
    shown = shown[shown["text"] != ""]
    held = done.result.positions.set_index("session")["contract"]
    for day, code in held.items():
        assert shown.at[day, "text"].startswith(f"{code}: ")
        np.testing.assert_equal(shown.at[day, "y"], market.frame("close").at[day, code])
    gaps = {day for day, text, y in zip(drawn.x, drawn.text, drawn.y, strict=True)
            if text == "" and np.isnan(y)}
    rolled = done.result.fills.loc[done.result.fills["reason"] == "roll", "session"]
    assert {f"{day:%Y-%m-%d}" for day in rolled} <= gaps
    assert drawn.connectgaps is False


def test_an_unknown_close_is_a_gap_and_loses_no_mark():
    market = sample()
    close = market.close.copy()
    entry = market.sessions.get_loc(pd.Timestamp("2024-05-15"))
    close[entry, market.column("si2412")] = np.nan
    done = made("calendar_reverse")
    holed = replace(done, market=replace(market, close=close))
    figure = charts.price(holed)
    drawn = written(figure)["data"][0]
    before = charts.price(done).data[0].y
    assert [day for day, y, old in zip(drawn["x"], drawn["y"], before, strict=True)
            if y is None and not np.isnan(old)] == ["2024-05-15"]
    assert drawn["connectgaps"] is False
    assert "si2412: close –" in figure.data[0].text[entry]
    assert marked(figure) == marked(charts.price(done))
    assert all(np.isfinite(one.y).all() for one in figure.data if one.meta)


def test_of_a_roll_under_way_the_larger_part_is_drawn():
    done = run("short_rallies", sample(), execution=Execution(participation=0.0002))
    drawn = charts.price(done).data[0]
    shown = {day: text[:6] for day, text in zip(drawn.x, drawn.text, strict=True) if text}
    split = 0
    for day, rows in done.result.positions.groupby("session"):
        lots = rows.set_index("contract")["lots"].abs()
        assert lots[shown[f"{day:%Y-%m-%d}"]] == lots.max()
        split += len(lots) > 1
    assert split > 0


def test_flat_the_contract_decided_the_evening_before_is_drawn():
    done = made("short_rallies")
    drawn, market = charts.price(done).data[0], done.market
    shown = {day: text[:6] for day, text in zip(drawn.x, drawn.text, strict=True) if text}
    decided = market.dominant(standard="2022").shift(1)
    assert decided.nunique() > 5
    before = decided.loc[: done.result.fills["session"].iloc[0]].dropna()
    assert [shown[f"{day:%Y-%m-%d}"] for day in before.index] == before.tolist()


def test_a_leg_without_a_fill_and_a_close_counts_at_its_last_settlement():
    done = turns()
    fills = done.result.fills
    day = next(day for day, own in fills.groupby("session") if set(own["leg"]) == {"si2409"})
    at = done.market.sessions.get_loc(day)
    known = charts.price(done)
    close = done.market.close.copy()
    close[at, done.market.column("si2411")] = np.nan
    figure = charts.price(replace(done, market=replace(done.market, close=close)))
    gap = done.market.settle[at, done.market.column("si2411")] - done.market.close[
        at, done.market.column("si2411")]
    assert gap != 0
    for one, old in zip(figure.data[1:], known.data[1:], strict=True):
        for x, y, before in zip(one.x, one.y, old.y, strict=True):
            if x == f"{day:%Y-%m-%d}" and one.meta["kind"] != "unfilled":
                assert y - before == pytest.approx(gap)


def test_no_mark_is_lost_where_no_price_is_known():
    done = turns()
    size = (len(done.market.sessions), len(done.result.job.legs))
    bare = marks.marks(done, EN, np.full(size[0], np.nan), np.full(size, np.nan))
    assert {one["meta"]["kind"]: len(one["x"]) for one in bare} == marked(charts.price(done))
    assert all(np.isfinite(one["y"]).all() for one in bare)


def test_a_leg_that_did_not_fill_counts_at_its_close():
    done = turns()
    fills, market = done.result.fills, done.market
    drawn = {(one.meta["kind"], day): y for one in charts.price(done).data if one.meta
             for day, y in zip(one.x, one.y, strict=True)}
    ratio = dict(zip(done.result.job.legs, done.result.job.ratio, strict=True))
    alone = 0
    for (day, kind), group in fills.assign(kind=marks.kinds(done)).groupby(["session", "kind"]):
        paid = (group["price"] * group["lots"]).groupby(group["leg"]).sum()
        paid /= group.groupby("leg")["lots"].sum()
        alone += len(paid) < len(ratio)
        expected = sum(n * paid.get(leg, market.frame("close").at[day, leg])
                       for leg, n in ratio.items())
        assert drawn[kind, f"{day:%Y-%m-%d}"] == pytest.approx(expected, abs=1e-3)
    assert alone > 0


def test_a_unit_of_other_ratios_is_named_by_them():
    figure = charts.price(turns())
    assert figure.layout.title.text.endswith("si2409 − 2 si2410 + si2411")
    closes = sample().frame("close")
    np.testing.assert_array_equal(
        figure.data[0].y, closes["si2409"] - 2 * closes["si2410"] + closes["si2411"])


def test_no_two_kinds_share_a_shape():
    shapes = [one.marker.symbol for one in charts.price(turns()).data if one.meta]
    shapes += [one.marker.symbol for one in charts.price(squeezed()).data
               if one.meta and one.marker.symbol not in shapes]
    assert len(set(shapes)) == len(shapes) == len(marks.KINDS)


def test_all_marks_are_within_the_prices_shown(done):
    figure = charts.price(done)
    low, high = figure.layout.yaxis.range
    assert all(low < y < high for one in figure.data if one.meta for y in one.y)


@pytest.mark.parametrize("word", FILL_REASONS)
def test_every_reason_of_a_fill_has_its_chinese(word):
    assert re.search("[\u4e00-\u9fff]", ZH(word))


@pytest.mark.parametrize("word", filter(None, SHORTFALLS))
def test_every_shortfall_has_its_chinese(word):
    assert re.search("[\u4e00-\u9fff]", why(word, ZH))


def test_every_offset_has_its_words():
    assert set(marks._OFFSETS) == set(OFFSETS)


# -- profit -------------------------------------------------------------------------------------


def test_legs_end_where_the_tables_end(done):
    figure, result = charts.legs(done), done.result
    for leg, row in result.by_leg.iterrows():
        assert trace(figure, leg).y[-1] == pytest.approx(row["profit"], abs=0.01)
    m = result.metrics
    assert trace(figure, "net result").y[-1] == pytest.approx(m["net"], abs=0.01)
    assert trace(figure, "fees").y[-1] == pytest.approx(-m["fees"], abs=0.01)
    slippage = trace(figure, "slippage, within the legs").y
    assert slippage[-1] == pytest.approx(-m["slippage"], abs=0.01)
    assert (np.diff(slippage) <= 0).all()


def test_legs_less_fees_are_the_net_result_in_every_session(done):
    figure = charts.legs(done)
    legs = sum(np.array(trace(figure, leg).y) for leg in done.result.job.legs)
    np.testing.assert_allclose(
        legs + trace(figure, "fees").y, trace(figure, "net result").y, atol=0.01)


def test_a_spread_splits_into_its_own_move_and_the_flat_price():
    figure = charts.split(made("calendar_reverse"))
    move, flat, fees, net = (np.array(trace(figure, name).y) for name in
                             ("spread move", "flat-price residual", "fees", "net result"))
    np.testing.assert_allclose(move + flat + fees, net, atol=0.01)
    assert flat[-1] != 0
    assert charts.split(made("short_rallies")) is None


def test_the_chosen_entry_day_stands_out_and_its_rank_is_in_the_title(done):
    figure, days = charts.entry_days(done), done.few_days
    if days is None:
        assert figure is None
        return
    bars, = figure.data
    assert list(bars.y) == days["net"].tolist()
    assert list(bars.x) == days.index.strftime("%Y-%m-%d").tolist()
    gold = [day for day, colour in zip(bars.x, bars.marker.color, strict=True)
            if colour == palette(EN)["gold"]]
    chosen = days.index[days["chosen"]]
    assert gold == chosen.strftime("%Y-%m-%d").tolist()
    rank = days.loc[chosen[0], "rank"]
    assert figure.layout.title.text.endswith(f"the chosen one is rank {rank} of {len(days)}")
    assert bars.text[list(bars.x).index(gold[0])] == f"rank {rank} of {len(days)}"


def test_gain_and_loss_have_the_colours_of_up_and_down(done):
    figure = charts.monthly(done, BOTH)
    for y, colour in zip(figure.data[0].y, figure.data[0].marker.color, strict=True):
        assert colour == ("var(--up)" if y >= 0 else "var(--down)")


# -- months -------------------------------------------------------------------------------------


def test_months_add_up_to_the_net_result(done):
    bars, = charts.monthly(done).data
    assert sum(bars.y) == pytest.approx(done.result.metrics["net"], abs=0.01)
    table = charts.monthly_table(done)
    assert table.loc["total", ("net", "total")] == pytest.approx(
        done.result.metrics["net"], abs=0.01)
    assert table.loc["total", ("return", "total")] == pytest.approx(
        done.result.metrics["total_return"], abs=1e-8)


def test_the_table_of_months_is_the_statement(done):
    table, s = charts.monthly_table(done), done.result.statement
    daily = (s["mtm"] - s["fees"]).loc[done.result.returns.index]
    years = sorted(set(daily.index.year))
    assert table.index.tolist() == [*years, "total"]
    assert table["net"].columns.tolist() == [*range(1, 13), "total"]
    for year in years:
        for month in range(1, 13):
            own = daily[(daily.index.year == year) & (daily.index.month == month)]
            value = table.loc[year, ("net", month)]
            assert np.isnan(value) if own.empty else value == pytest.approx(own.sum(), abs=0.01)
        assert table.loc[year, ("net", "total")] == pytest.approx(
            daily[daily.index.year == year].sum(), abs=0.01)
    assert set(table.dtypes) == {np.dtype(float)}


def test_returns_of_months_compound():
    table = charts.monthly_table(made("short_rallies"))["return"]
    months = table.loc[2024, list(range(1, 13))].dropna()
    assert table.loc[2024, "total"] == pytest.approx((1 + months).prod() - 1)
    own = made("short_rallies").result.returns["2024-05"]
    assert table.loc[2024, 5] == pytest.approx((1 + own).prod() - 1)


# -- hedges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["producer_hedge", "trader_hedge"])
@pytest.mark.parametrize("data", ["sample", "recorded"])
def test_a_hedge_ends_at_its_headline(request, name, data):
    done = made(name) if data == "sample" else made(
        name, request.getfixturevalue("recorded"), execution=AT_CLOSE)
    figure, m = charts.hedge(done), done.hedge.metrics
    assert last(trace(figure, "goods alone").y) == pytest.approx(m["physical"], abs=0.01)
    assert last(trace(figure, "futures alone").y) == pytest.approx(m["futures"], abs=0.01)
    quoted = done.hedge.table.loc[done.result.returns.index, "physical"].notna().to_numpy()
    both = np.array(trace(figure, "goods + futures").y)
    assert (np.isnan(both) == ~quoted).all()
    if quoted[-1]:
        assert both[-1] == pytest.approx(m["hedged"], abs=0.01)
    table = done.hedge.table.loc[done.result.returns.index]
    np.testing.assert_array_equal(trace(figure, "tonnes owned").y, table["tonnes"])
    np.testing.assert_array_equal(trace(figure, "tonnes of futures").y, table["lots"] * 5)


def test_a_session_without_a_quote_is_a_gap_of_the_goods():
    done = made("producer_hedge")
    figure = written(charts.hedge(done))
    goods = next(one for one in figure["data"] if one["name"] == "goods alone")
    unquoted = done.hedge.table.loc[done.result.returns.index, "physical"].isna()
    assert unquoted.any()
    assert [y is None for y in goods["y"]] == unquoted.tolist()
    assert goods["connectgaps"] is False


# -- term structure -----------------------------------------------------------------------------


def test_each_trip_is_the_curve_of_its_entry_and_of_its_exit(done):
    figure, trips = charts.curves(done), done.result.round_trips
    chosen = figure.layout.meta["trips"]
    assert list(chosen) == list(range(len(trips)))
    assert len(figure.data) == 2 * len(trips)
    for number in chosen:
        entry, end = (one for one in figure.data if one.meta["trip"] == number)
        assert entry.legendgroup == end.legendgroup
        assert (entry.visible is True) == (end.visible is True) == (number == 0)
        row = trips.iloc[number]
        left = done.market.sessions[-1] if pd.isna(row["exit"]) else row["exit"]
        for one, day in ((entry, row["entry"]), (end, left)):
            known = done.market.frame("settle").loc[day].dropna()
            drawn = {code: y for code, y in zip(one.text, one.y, strict=True) if code}
            assert drawn == known.to_dict()
            assert f"{day:%Y-%m-%d}" in one.hovertemplate


def test_two_delivery_standards_are_not_joined():
    entry = charts.curves(made("calendar_reverse")).data[0]
    at = list(entry.text).index("")
    assert np.isnan(entry.y[at])
    assert (entry.text[at - 1], entry.text[at + 1]) == ("si2411", "si2412")
    assert entry.connectgaps is False


def test_the_contracts_of_the_trip_are_the_larger_marks():
    entry = charts.curves(made("calendar_reverse")).data[0]
    large = [code for code, size in zip(entry.text, entry.marker.size, strict=True)
             if size == max(entry.marker.size)]
    assert large == ["si2411", "si2412"]


def test_an_open_trip_ends_with_the_last_session():
    done = run("calendar_reverse", sample(), end="2024-08-01")
    assert done.result.round_trips["exit"].isna().all()
    assert charts.curves(done).data[1].name == "last session 2024-08-01"


def test_of_many_trips_the_first_the_last_the_best_and_the_worst_are_drawn():
    done = made("turns", execution=AT_CLOSE)
    trips = done.result.round_trips
    assert len(trips) > 12
    chosen = list(charts.curves(done).layout.meta["trips"])
    assert len(chosen) == 12 == len(set(chosen))
    assert chosen == sorted(chosen)
    net = trips["net"]
    assert {0, len(trips) - 1, int(net.argmax()), int(net.argmin())} <= set(chosen)
    # Even where the worst moved the least money.
    altered = trips.assign(net=np.arange(len(trips)) % 7 * 100.0 + 500.0)
    altered.loc[len(trips) // 2, "net"] = -1.0
    other = charts.curves(replace(done, result=replace(done.result, round_trips=altered)))
    assert len(trips) // 2 in other.layout.meta["trips"]
    assert charts.curves(made("never")) is None


# -- lines and colours --------------------------------------------------------------------------


def test_a_value_that_stands_alone_is_a_dot():
    days = [f"2024-01-0{n}" for n in range(1, 7)]
    drawn = line("a", days, [1, np.nan, 3, np.nan, 5, 6], "#000000", "")
    assert drawn["mode"] == "lines+markers"
    assert drawn["marker"]["size"] == [6, 0, 6, 0, 0, 0]
    assert line("a", days, range(6), "#000000", "")["mode"] == "lines"


def test_colours_are_those_of_the_pages_light_style():
    css = (resources.files("sibt.report") / "templates" / "page.css").read_text("utf-8")
    light = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", css.split("}")[0]))
    for name, shade in palette(EN).items():
        if name not in ("up", "down"):
            assert light[name] == shade, name


def test_every_colour_of_a_page_is_one_it_knows():
    css = (resources.files("sibt.report") / "templates" / "page.css").read_text("utf-8")
    for name, value in palette(BOTH).items():
        assert value == f"var(--{name})"
        assert f"--{name}:" in css, name


def test_up_is_red_in_chinese_and_green_in_english():
    assert palette(EN)["up"] == palette(EN)["green"] == palette(ZH)["down"]
    assert palette(ZH)["up"] == palette(ZH)["red"] == palette(EN)["down"]
