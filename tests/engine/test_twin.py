"""The ledger books what its slow twin books: golden cases first, then thousands of markets."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from ledger_twin import twin
from random_markets import random_case

import sibt
from sibt.market import calendar
from sibt.market.panel import FIELDS, Market

ACCOUNT = {
    "capital": 1_000_000,
    "kind": "individual",
    "broker_margin": 0.0,
    "fee_markup": 1.0,
    "spread_relief": False,
    "on_call": "cut",
}
EXECUTION = {
    "fill": "open",
    "slippage": 1,
    "participation": None,
    "pairing": "paired",
    "cross_standard": False,
}
TERMS = {"fee": 1e-4, "margin": 0.10, "price_limit": 0.08}
CHUNKS, CHUNK = 40, 60

#: How often each event must come up over all seeds, lest the comparison be empty.
WANTED = {
    "short limit": 400,
    "short volume": 4000,
    "short pair": 6000,
    "short margin": 5000,
    "short no trade": 2000,
    "short no price": 300,
    "short not listed": 10000,
    "short delivery month": 1000,
    "short price not reached": 700,
    "limit order at open": 1000,
    "limit order at limit": 200,
    "band refuted": 1000,
    "reversal": 2000,
    "legged": 400,
    "relief": 1000,
    "call": 600,
    "deposit": 500,
    "fill margin call": 500,
    "bound lifted": 400,
    "bound, not forced": 2000,
    "fill delivery": 40,
    "leg by leg": 40,
    "exit by date": 400,
    "fill exit date": 400,
    "fill exit date, at settlement": 200,
    "rest of a roll leaves": 10,
    "fill roll": 300,
    "roll short": 200,
    "close today": 10,
    "contract in two legs": 20,
    "bust": 30,
}


# --- golden cases, on the twin itself ------------------------------------------------------


def bars(days, **contracts):
    """Build a market: per contract, per field, a value or None for each day."""
    blank = np.full((len(days), len(contracts)), np.nan)
    arrays = {name: blank.copy() for name in FIELDS}
    for column, rows in enumerate(contracts.values()):
        for name, values in rows.items():
            arrays[name][:, column] = [np.nan if v is None else v for v in values]
    return Market(
        sessions=days,
        contracts=tuple(contracts),
        **arrays,
        spot=pd.DataFrame(index=days),
        receipts=pd.Series(np.nan, index=days),
    )


def days_from(first, count):
    known = calendar.sessions()
    at = known.searchsorted(pd.Timestamp(first))
    return known[at : at + count]


def book(market, units, legs, *, limits=None, account=None, execution=None, terms=None):
    days = market.sessions
    return twin(
        market,
        pd.Series(units, index=days, dtype=float),
        legs,
        limits=None if limits is None else pd.Series(limits, index=days, dtype=float),
        account=ACCOUNT | (account or {}),
        execution=EXECUTION | (execution or {}),
        terms=TERMS | (terms or {}),
    )


def fills(result, days):
    return [
        (
            days.get_loc(row["session"]),
            row["contract"],
            f"{row['side']} {row['offset']}",
            row["lots"],
            f"{row['price']:.0f}",
            str(row["fee"]),
        )
        for row in result.fills
    ]


def column(result, name, first=0):
    return [f"{row[name]:.2f}" for row in result.statement[first:]]


G01 = {
    "open": [12300, 12240, 12060, 11690, 11520, 11630],
    "high": [12350, 12260, 12070, 11700, 11640, 11700],
    "low": [12200, 12050, 11700, 11450, 11500, 11600],
    "close": [12250, 12080, 11720, 11480, 11610, 11680],
    "settle": [12270, 12130, 11850, 11560, 11580, 11660],
    "volume": [90000] * 6,
}


def test_g01_take_profit_on_the_close_and_reverse():
    days = days_from("2024-06-03", 6)
    result = book(bars(days, si2409=G01), [-10, -10, -10, 10, 10, 10], {"si2409": 1})
    assert fills(result, days) == [
        (1, "si2409", "sell open", 10, "12235", "61.18"),
        (4, "si2409", "buy close", 10, "11525", "57.63"),
        (4, "si2409", "buy open", 10, "11525", "57.63"),
    ]
    assert column(result, "equity") == [
        "1000000.00",
        "1005188.82",
        "1019188.82",
        "1033688.82",
        "1038073.56",
        "1042073.56",
    ]
    assert column(result, "margin", 1) == [
        "60650.00",
        "59250.00",
        "57800.00",
        "57900.00",
        "58300.00",
    ]
    assert sum(row["fees"] for row in result.statement) == Decimal("176.44")


def test_g01_take_profit_with_a_resting_limit():
    days = days_from("2024-06-03", 6)
    result = book(
        bars(days, si2409=G01),
        [-10, -10, 10, 10, 10, 10],
        {"si2409": 1},
        limits=[None, None, 11500, None, None, None],
    )
    assert fills(result, days) == [
        (1, "si2409", "sell open", 10, "12235", "61.18"),
        (3, "si2409", "buy close", 10, "11500", "57.50"),
        (3, "si2409", "buy open", 10, "11500", "57.50"),
    ]
    assert column(result, "equity", 1) == [
        "1005188.82",
        "1019188.82",
        "1039573.82",
        "1040573.82",
        "1044573.82",
    ]


def test_g02_reverse_spread():
    days = days_from("2024-06-03", 5)
    market = bars(
        days,
        si2411={
            "open": [12000, 12000, 12030, 11990, 12035],
            "settle": [12000, 12040, 11980, 12060, 12050],
        },
        si2412={
            "open": [14100, 14100, 14180, 14180, 14200],
            "settle": [14100, 14170, 14190, 14160, 14210],
        },
    )
    legs = {"si2411": 1, "si2412": -1}
    result = book(market, [-10, -10, -10, 0, 0], legs, account={"capital": 500_000})
    assert fills(result, days) == [
        (1, "si2411", "sell open", 10, "11995", "59.98"),
        (1, "si2412", "buy open", 10, "14105", "70.53"),
        (4, "si2411", "buy close", 10, "12040", "60.20"),
        (4, "si2412", "sell close", 10, "14195", "70.98"),
    ]
    assert column(result, "equity", 1) == ["500869.49", "504869.49", "499369.49", "501988.31"]
    assert column(result, "margin", 1) == ["131050.00", "130850.00", "131100.00", "0.00"]
    relief = book(
        market,
        [-10, -10, -10, 0, 0],
        legs,
        account={"capital": 500_000, "spread_relief": True},
    )
    assert column(relief, "margin", 1) == ["70850.00", "70950.00", "70800.00", "0.00"]


def test_g03_margin_call_and_forced_cut():
    days = days_from("2024-06-03", 4)
    market = bars(
        days,
        si2409={"open": [12000, 12005, 12150, 12180], "settle": [12000, 12000, 12150, 12200]},
    )
    result = book(
        market,
        [-10] * 4,
        {"si2409": 1},
        account={"capital": 80_000},
        terms={"margin": 0.12},
    )
    assert column(result, "equity", 1) == ["79940.00", "72440.00", "70008.91"]
    assert column(result, "margin", 1) == ["72000.00", "72900.00", "65880.00"]
    assert column(result, "available", 1) == ["7940.00", "-460.00", "4128.91"]
    assert column(result, "margin_call") == ["0.00", "0.00", "460.00", "0.00"]
    assert fills(result, days)[1:] == [(3, "si2409", "buy close", 1, "12185", "6.09")]
    assert result.fills[-1]["reason"] == "margin call"


def test_g03_lots_70000_yuan_can_open():
    days = days_from("2024-06-03", 2)
    market = bars(days, si2409={"open": [12000, 12005], "settle": [12000, 12000]})
    result = book(
        market, [-10, -10], {"si2409": 1}, account={"capital": 70_000}, terms={"margin": 0.12}
    )
    assert [row["lots"] for row in result.fills] == [9]
    assert [row["reason"] for row in result.unfilled] == ["margin"]


def test_g05_roll():
    days = days_from("2024-05-06", 5)
    market = bars(
        days,
        si2406={
            "open": [12100, 12105, 12000, 11900, None],
            "settle": [12100, 12080, 12000, 11890, None],
        },
        si2408={
            "open": [None, None, 12235, 12150, 12100],
            "settle": [None, None, 12235, 12130, 12050],
        },
    )
    code = pd.Series(["si2406", None, "si2408", None, None], index=days)
    result = book(market, [-20] * 5, {"short": (code, 1)})
    assert column(result, "equity", 1) == [
        "1001879.00",
        "1009879.00",
        "1020638.50",
        "1028638.50",
    ]
    assert fills(result, days)[1:] == [
        (3, "si2406", "buy close", 20, "11905", "119.05"),
        (3, "si2408", "sell open", 20, "12145", "121.45"),
    ]
    assert sum(row["fees"] for row in result.statement) == Decimal("361.50")


def test_g07_no_cover_at_limit_up():
    days = days_from("2024-06-03", 4)
    market = bars(
        days,
        si2409={
            "open": [12000, 12005, 12480, 12700],
            "high": [12000, 12005, 12480, 12760],
            "low": [12000, 12000, 12480, 12600],
            "close": [12000, 12000, 12480, 12650],
            "settle": [12000, 12000, 12480, 12670],
            "volume": [300, 300, 300, 80000],
        },
    )
    result = book(
        market,
        [-5, 0, 0, 0],
        {"si2409": 1},
        account={"capital": 300_030},
        terms={"price_limit": pd.Series([0.04, 0.04, 0.04, 0.07], index=days)},
    )
    assert column(result, "equity", 1) == ["300000.00", "288000.00", "282343.24"]
    assert fills(result, days)[1:] == [(3, "si2409", "buy close", 5, "12705", "31.76")]
    assert [row["reason"] for row in result.unfilled] == ["limit"]


G08 = {
    "open": [12100, 12100, 12050, 11980],
    "settle": [12100, 12080, 12010, 11960],
    "volume": [640, 640, 950, 2000],
}


def test_g08_partial_fills_under_a_cap():
    days = days_from("2024-06-03", 4)
    market = bars(days, si2409=G08)
    result = book(market, [-100] * 4, {"si2409": 1}, execution={"participation": 0.05})
    assert fills(result, days) == [
        (1, "si2409", "sell open", 32, "12095", "193.52"),
        (2, "si2409", "sell open", 47, "12045", "283.06"),
        (3, "si2409", "sell open", 21, "11975", "125.74"),
    ]
    assert column(result, "equity", 1) == ["1002206.48", "1021348.42", "1042547.68"]


def test_g08_paired_legs_fill_as_the_thinner_one():
    days = days_from("2024-06-03", 4)
    market = bars(days, si2409=G08, si2410=G08 | {"volume": [300, 300, 950, 100]})
    result = book(
        market,
        [-100] * 4,
        {"si2409": 1, "si2410": -1},
        execution={"participation": 0.05},
        terms={"margin": 0.05},
    )
    for code in ("si2409", "si2410"):
        assert [row["lots"] for row in result.fills if row["contract"] == code] == [15, 47, 5]
    assert result.statement[-1]["units"] == -67
    assert [row["reason"] for row in result.unfilled[:2]] == ["volume", "volume"]
    assert [row["reason"] for row in result.unfilled[-2:]] == ["pair", "volume"]


@pytest.mark.parametrize(
    ("opening", "price", "fee", "equity", "reason"),
    [
        (11880, "11875", "47.50", "198952.50", "exit date"),
        (None, "11865", "47.46", "198552.54", "exit date, at settlement"),
    ],
)
def test_g09_out_before_the_delivery_month(opening, price, fee, equity, reason):
    days = days_from("2024-04-26", 3)
    assert days[-1] == pd.Timestamp("2024-04-30")
    market = bars(
        days,
        si2405={
            "open": [11900, 11895, opening],
            "close": [11900, 11900, 11850],
            "settle": [11900, 11900, 11865],
        },
    )
    result = book(market, [8] * 3, {"si2405": 1}, account={"capital": "200047.60"})
    assert column(result, "equity", 1) == ["200000.00", equity]
    assert fills(result, days)[1:] == [(2, "si2405", "sell close", 8, price, fee)]
    assert result.fills[-1]["reason"] == reason


# --- the ledger against its twin -----------------------------------------------------------


def rows_of_fills(rows):
    return sorted(
        (
            row["session"],
            row["leg"],
            row["contract"],
            row["side"],
            row["offset"],
            row["reason"],
            int(row["lots"]),
            float(row["price"]),
            round(float(row["fee"]), 2),
        )
        for row in rows
    )


def rows_of_unfilled(rows):
    return sorted(
        (
            row["session"],
            row["leg"],
            "" if pd.isna(row["contract"]) else row["contract"],
            int(row["wanted"]),
            int(row["filled"]),
            row["reason"],
        )
        for row in rows
    )


MONEY = (
    "previous",
    "closed_pnl",
    "held_pnl",
    "mtm",
    "fees",
    "deposit",
    "equity",
    "margin",
    "available",
    "margin_call",
)


def rows_of_statement(rows):
    return [
        (
            row["session"],
            *((name, round(float(row[name]), 2)) for name in MONEY),
            None if pd.isna(row["units"]) else round(float(row["units"]), 9),
        )
        for row in rows
    ]


def first_difference(ours, theirs):
    for one, two in zip(ours, theirs, strict=False):
        if one != two:
            return f"twin {one}\nsibt {two}"
    longer = max(ours, theirs, key=len)
    rest = longer[min(len(ours), len(theirs))]
    return f"only in {'twin' if longer is ours else 'sibt'}: {rest}"


def simulate(case):
    settings = {
        "account": sibt.Account(**case["account"]),
        "execution": sibt.Execution(**case["execution"]),
    }
    return sibt.simulate(**(case | settings))


def differences(seed, case, slow):
    """Return the first difference of each table between the twin and the ledger."""
    fast = simulate(case)
    statement = fast.statement.reset_index(names="session").to_dict("records")
    tables = {
        "fills": (rows_of_fills(slow.fills), rows_of_fills(fast.fills.to_dict("records"))),
        "unfilled": (
            rows_of_unfilled(slow.unfilled),
            rows_of_unfilled(fast.unfilled.to_dict("records")),
        ),
        "statement": (rows_of_statement(slow.statement), rows_of_statement(statement)),
    }
    return [
        f"seed {seed}, {name}:\n{first_difference(ours, theirs)}"
        for name, (ours, theirs) in tables.items()
        if ours != theirs
    ]


@pytest.fixture(scope="module")
def events():
    return Counter()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_ledger_books_what_its_twin_books(chunk, events):
    found = []
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        case = random_case(seed)
        slow = twin(**case)
        events.update(slow.events)
        events["legged"] += case["execution"]["pairing"] == "legged"
        events["leg by leg"] += isinstance(case["units"], pd.DataFrame)
        events["runs"] += 1
        found += differences(seed, case, slow)
    assert not found, "\n".join(found[:5])


def test_every_event_came_up(events):
    if events["runs"] < CHUNKS * CHUNK:
        pytest.skip("only a part of the seeds was run")
    short = {name: events[name] for name, least in WANTED.items() if events[name] < least}
    assert not short
