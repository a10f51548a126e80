"""Decisions on the market cut at each day: what leaks is named with day, contract and input."""

import pytest
from subjects import market, steps, subject

from sibt.lookahead.cut import cut

UP, JUMP = 40, 15
#: si2409 rises once, after 15 sessions; si2410 stands still.
ONCE = market(si2409=steps(14_000, each=JUMP) + steps(14_300, each=UP - JUMP),
              si2410=steps(14_100, each=UP))  # fmt: skip


def found(one, *rows):
    return list(cut(one, rows or None))


def only(one):
    (leak,) = found(one)
    assert leak.check == "cut"
    return leak


def test_a_strategy_that_waits_for_what_it_sees_passes_on_every_day(tmp_path):
    units = "return (market.frame('close')['si2409'].diff() > 0).astype(float)"
    one = subject(tmp_path, units, ONCE)
    assert one.whole.acts(UP)
    assert found(one) == []
    # The whole market once, and every session but the last.
    assert one.asked == 1 + UP - 1


def test_the_next_close_is_named_with_its_day_and_contract(tmp_path):
    rise = "close = market.frame('close')['si2409']\nreturn (close.shift(-1) > close).astype(float)"
    leak = only(subject(tmp_path, rise, ONCE))
    assert leak.grave
    assert (leak.input, leak.contract) == ("close", "si2409")
    assert leak.day == ONCE.sessions[JUMP - 1]
    assert leak.seen == ONCE.sessions[JUMP]
    assert "the close of si2409 on" in leak.sentence
    assert "no shift(-1)" in leak.cure


@pytest.mark.parametrize("field", ["open", "high", "low", "settle", "volume", "open_interest"])
def test_any_field_of_a_bar_is_told_from_the_others(tmp_path, field):
    units = f"x = market.frame('{field}')['si2410']\nreturn (x.shift(-3) > 0).astype(float)"
    leak = only(subject(tmp_path, units, ONCE))
    assert (leak.input, leak.contract) == (field, "si2410")
    assert leak.day == ONCE.sessions[0]
    assert leak.seen == ONCE.sessions[3]


def test_tomorrows_spot_is_named_by_its_grade(tmp_path):
    on = market(si2409=steps(14_000, each=20), spot=steps(15_000, 15_500, each=10))
    units = "x = market.spot['553']\nreturn (x.shift(-1) > x).astype(float)"
    leak = only(subject(tmp_path, units, on))
    assert (leak.input, leak.contract, leak.day, leak.seen) == (
        "spot 553", None, on.sessions[9], on.sessions[10])  # fmt: skip


def test_receipts_of_tomorrow_are_named(tmp_path):
    on = market(si2409=steps(14_000, each=20), receipts=steps(30_000, 20_000, each=10))
    units = "x = market.receipts\nreturn (x.shift(-1) < x).astype(float)"
    leak = only(subject(tmp_path, units, on))
    assert (leak.input, leak.day, leak.seen) == ("receipts", on.sessions[9], on.sessions[10])


def test_a_series_by_its_date_is_seen_before_its_publication(tmp_path):
    rows = [("stock", 2, 8, 100.0), ("stock", 9, 16, 200.0)]
    on = market(si2409=steps(14_000, each=20), series=rows)
    by_date = "x = market.series.set_index('date')['value']\n"
    units = by_date + "return (x.reindex(market.sessions).ffill() > 50).astype(float)"
    leak = only(subject(tmp_path, units, on))
    assert (leak.input, leak.day, leak.seen) == ("series stock", on.sessions[2], on.sessions[8])
    assert "market.known('stock')" in leak.cure
    honest = "return (market.known('stock').fillna(0.0) > 50).astype(float)"
    assert found(subject(tmp_path, honest, on), *range(8, 19)) == []


def test_the_number_of_sessions_is_named_where_no_input_leaks(tmp_path):
    units = "wish = pd.Series(1.0, market.sessions)\nwish.iloc[-3:] = 0.0\nreturn wish"
    leak = only(subject(tmp_path, units, ONCE))
    assert (leak.input, leak.contract) == ("sessions", None)
    assert leak.day == ONCE.sessions[0]
    assert "sibt.contract(code)" in leak.cure


def test_a_level_is_named_where_it_is_used_before_its_day(tmp_path):
    (tmp_path / "mine.toml").write_text(
        '[[level]]\nname = "floor"\nvalue = 14100.0\npublished_on = "2024-04-08"\n'
        'product = "si"\nstandard = "2022"\n', "utf-8")  # fmt: skip
    raw = f"""
        floor = sibt.level("floor", file={str(tmp_path / "mine.toml")!r})
        return (market.frame("close")["si2409"] < floor.value).astype(float)
    """
    leak = only(subject(tmp_path, raw, ONCE))
    assert leak.input == "level floor"
    assert (leak.day, f"{leak.seen:%Y-%m-%d}") == (ONCE.sessions[0], "2024-04-08")
    honest = raw.replace("floor.value", "floor.by_session(market)")
    assert found(subject(tmp_path, honest, ONCE)) == []


def test_a_level_may_be_used_in_the_session_of_its_day(tmp_path):
    flat = market(si2409=steps(14_000, each=40))
    day = flat.sessions[20]
    (tmp_path / "mine.toml").write_text(
        f'[[level]]\nname = "floor"\nvalue = 14100.0\npublished_on = "{day:%Y-%m-%d}"\n'
        'product = "si"\nstandard = "2022"\n', "utf-8")  # fmt: skip
    units = f"""
        floor = sibt.level("floor", file={str(tmp_path / "mine.toml")!r})
        return (market.frame("close")["si2409"] < floor.by_session(market)).astype(float)
    """
    one = subject(tmp_path, units, flat)
    assert one.whole.units.tolist() == [0.0] * 20 + [1.0] * 20
    assert found(one) == []


def test_every_input_that_leaks_is_named(tmp_path):
    units = """
        later = market.bars("si2409").shift(-1)
        wish = (later["close"] > 14_050).astype(float)
        return wish + 2.0 * (later["volume"] > 1_010).astype(float)
    """
    leaks = found(subject(tmp_path, units, market(si2409=steps(14_000, 14_100, each=12))))
    assert {leak.input for leak in leaks} == {"close", "volume"}


def test_two_legs_that_leak_only_together_are_still_named(tmp_path):
    units = """
        both = market.frame("volume")[["si2409", "si2410"]]
        return (both.shift(-1).notna().any(axis=1) & (np.arange(len(both)) == 5)).astype(float)
    """
    leak = only(subject(tmp_path, units, ONCE))
    assert leak.input == "volume"
    assert leak.contract in ("si2409", "si2410")
    assert leak.day == ONCE.sessions[5]


def test_a_contract_not_traded_yet_may_be_named(tmp_path):
    on = market(si2409=steps(14_000, each=30), si2410=[None] * 20 + steps(14_100, each=10))
    units = "return (market.spread('si2409', 'si2410') < 0).astype(float)"
    assert found(subject(tmp_path, units, on, legs="{'si2409': 1, 'si2410': -1}")) == []


def test_failing_on_a_short_market_before_it_acts_is_a_note(tmp_path):
    units = """
        assert len(market.sessions) > 10, "too short"
        return pd.Series((np.arange(len(market.sessions)) >= 10).astype(float), market.sessions)
    """
    leak = only(subject(tmp_path, units, ONCE))
    assert not leak.grave
    assert leak.day == ONCE.sessions[9]
    assert "fails on 10 of the shorter markets" in leak.sentence
    assert "too short" in leak.sentence


def test_failing_on_a_market_on_which_it_should_have_acted_is_a_leak(tmp_path):
    units = """
        day = market.sessions[25]
        return pd.Series((market.sessions >= market.sessions[5]).astype(float), market.sessions)
    """
    leaks = found(subject(tmp_path, units, ONCE))
    grave = [leak for leak in leaks if leak.grave]
    assert len(grave) == 1
    assert grave[0].day == ONCE.sessions[5]
    assert "IndexError" in grave[0].sentence


def test_the_days_asked_for_are_the_days_cut_at(tmp_path):
    rise = "close = market.frame('close')['si2409']\nreturn (close.shift(-1) > close).astype(float)"
    one = subject(tmp_path, rise, ONCE)
    assert found(one, 3, 20) == []
    assert one.asked == 3
    assert found(one, JUMP - 1) != []
