"""The pull loop: what it asks, how often, what it keeps, and what it says at the end."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from sibt.errors import DataError, SettingError
from sibt.market import calendar
from sibt.sources.online.asking import Ask, Denied, Temporary, Wrong
from sibt.sources.online.lacking import alive, current, lacking, last_closed
from sibt.sources.online.pull import WAITS, Pulled, Step, Unreachable, pull
from sibt.sources.store import Store

KNOWN = calendar.sessions()
DAYS = KNOWN[(KNOWN >= "2024-05-06") & (KNOWN <= "2024-05-21")]
TODAY = pd.Timestamp("2024-06-03")


def receipts(day: pd.Timestamp, lots: float = 100.0) -> pd.DataFrame:
    return pd.DataFrame({"date": [day], "lots": [lots], "source": ["play"]})


def bars(day: pd.Timestamp, codes: tuple[str, ...] | None = None) -> pd.DataFrame:
    codes = codes or tuple(life.code for life in alive("si", pd.DatetimeIndex([day])))
    return pd.DataFrame({"date": day, "contract": list(codes), "close": 12000.0,
                         "settle": 12000.0, "source": "akshare gfex"})


class Play:
    """A source whose answers are written down: by day, a list of what comes in turn."""

    name = "play"

    def __init__(self, kind: str = "receipts", make: Callable = receipts) -> None:
        self.kinds: tuple[str, ...] = (kind,)
        self.make = make
        self.plan: dict[str, list] = {}
        self.always: list = []
        self.asked: list[str] = []

    def asks(self, product, kind, days, store):
        for day in days:
            yield Ask(kind, f"{day:%Y-%m-%d}", (day,), lambda day=day: self.fetch(day))

    def fetch(self, day: pd.Timestamp) -> pd.DataFrame:
        what = f"{day:%Y-%m-%d}"
        self.asked.append(what)
        plan = self.plan.get(what, self.always)
        answer = (plan.pop(0) if len(plan) > 1 else plan[0]) if plan else None
        if isinstance(answer, BaseException):
            raise answer
        return self.make(day) if answer is None else answer


class Clock:
    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def run(source, store, clock=None, steps: list[Step] | None = None, **more) -> Pulled:
    return pull(source, store, "si", DAYS[0], DAYS[-1], sleep=clock or Clock(), today=TODAY,
                say=(steps if steps is not None else []).append, **more)


def test_every_missing_session_is_asked_for_once_and_kept(store):
    source = Play()
    done = run(source, store)
    assert source.asked == [f"{day:%Y-%m-%d}" for day in DAYS]
    assert list(store.read("si", "receipts")["date"]) == list(DAYS)
    assert (done.added, done.missing, done.failed) == ({"receipts": 12}, [], 0)


def test_a_second_pull_asks_for_nothing(store):
    run(Play(), store)
    again = Play()
    done = run(again, store)
    assert again.asked == []
    assert (done.asked, done.missing) == (0, [])


def test_only_what_the_store_lacks_is_asked_for(store):
    for day in DAYS.delete([3, 7]):
        store.upsert("si", "receipts", receipts(day))
    source = Play()
    run(source, store)
    assert source.asked == ["2024-05-09", "2024-05-15"]


def test_a_broken_answer_is_asked_for_again_with_longer_waits(store):
    source, clock = Play(), Clock()
    source.plan["2024-05-08"] = [Temporary("half"), Temporary("half"), None]
    done = run(source, store, clock)
    assert clock.waits == [1, 2]
    assert source.asked.count("2024-05-08") == 3
    assert done.missing == []


def test_tries_are_bounded_and_the_rest_goes_on(store):
    source, clock = Play(), Clock()
    source.plan["2024-05-08"] = [Temporary("it answered 500")]
    done = run(source, store, clock)
    assert clock.waits == list(WAITS) == [1, 2, 4, 8]
    assert len(store.read("si", "receipts")) == 11
    assert [str(m) for m in done.missing] == [
        "receipts: 1 session, 2024-05-08: it answered 500"
    ]


def test_a_source_that_stays_silent_is_left_alone(store):
    source, clock = Play(), Clock()
    source.always = [Temporary("it answered 500")]
    done = run(source, store, clock)
    # Three with patience, three without, and no more.
    assert len(source.asked) == 3 * 5 + 3
    assert [str(m) for m in done.missing] == [
        "receipts: 6 sessions, 2024-05-06..2024-05-13: it answered 500",
        "receipts: 6 sessions, 2024-05-14..2024-05-21: not asked after 6 without an answer",
    ]
    assert not done.unreachable


def test_without_a_network_it_stops_at_once_and_says_so(store):
    source, clock = Play(), Clock()
    source.always = [Unreachable("www.example.org cannot be reached")]
    done = run(source, store, clock)
    assert len(source.asked) == 2
    assert clock.waits == [1]
    assert done.unreachable == "www.example.org cannot be reached"
    assert [len(m.what) for m in done.missing] == [12]


def test_a_network_that_goes_away_on_the_way_keeps_what_came(store):
    source = Play()
    for day in DAYS[5:]:
        source.plan[f"{day:%Y-%m-%d}"] = [Unreachable("gone")]
    done = run(source, store)
    assert len(store.read("si", "receipts")) == 5
    assert len(set(source.asked)) == 7
    assert not done.unreachable
    assert [str(m) for m in done.missing] == ["receipts: 7 sessions, 2024-05-13..2024-05-21: gone"]


def test_an_answer_that_cannot_be_right_is_told_and_never_kept(store):
    source = Play()
    source.plan["2024-05-08"] = [receipts(pd.Timestamp("2024-05-07"))]
    source.plan["2024-05-09"] = [receipts(pd.Timestamp("2024-05-09"), -1.0)]
    source.plan["2024-05-10"] = [Wrong("it is nonsense")]
    done = run(source, store)
    kept = store.read("si", "receipts")
    assert len(kept) == 9
    assert (kept["lots"] == 100).all()
    assert [str(m) for m in done.missing] == [
        "receipts: 1 session, 2024-05-08: refused, the answer is of another day, 2024-05-07",
        "receipts: 1 session, 2024-05-09: refused, the answer holds a lots below zero",
        "receipts: 1 session, 2024-05-10: refused, it is nonsense",
    ]
    # One try each: asking again would bring the same.
    assert source.asked.count("2024-05-10") == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [({"contract": "lc2408"}, "no contract of si"), ({"contract": "SI2408"}, "no contract of si"),
     ({"settle": 0.0}, "settle that is not above zero"), ({"volume": -1.0}, "volume below zero"),
     ({"high": 11000.0, "low": 11900.0}, "high of si2408 is below its low")],
)
def test_bars_no_market_can_show_are_refused(store, change, word):
    source = Play("bars", lambda day: bars(day, ("si2408",)).assign(**change))
    done = run(source, store)
    assert store.read("si", "bars").empty
    assert word in str(done.missing[0])


def test_what_a_source_does_not_have_is_remembered_once_it_is_a_week_old(store):
    old, young = DAYS[0], DAYS[-1]
    nothing = pd.DataFrame()
    source = Play()
    source.plan = {f"{old:%Y-%m-%d}": [nothing], f"{young:%Y-%m-%d}": [nothing]}
    early = pd.Timestamp("2024-05-22")
    done = pull(source, store, "si", DAYS[0], DAYS[-1], today=early)
    assert [str(m) for m in done.missing] == [
        "receipts: 2 sessions, 2024-05-06..2024-05-21: the source has none"
    ]
    assert list(store.read("si", "absent")["what"]) == ["2024-05-06"]
    again = Play()
    again.always = [nothing]
    done = pull(again, store, "si", DAYS[0], DAYS[-1], today=early)
    assert again.asked == ["2024-05-21"]
    assert len(done.missing[0].what) == 2


def test_another_source_is_still_asked_for_what_one_does_not_have(store):
    source = Play()
    source.always = [pd.DataFrame()]
    run(source, store)
    other = Play()
    other.name = "other"
    run(other, store)
    assert len(other.asked) == 12


def test_an_interrupt_keeps_what_was_complete_and_says_so(store):
    source = Play()
    source.plan["2024-05-10"] = [KeyboardInterrupt()]
    done = run(source, store)
    assert done.interrupted
    assert len(store.read("si", "receipts")) == 4
    assert [str(m) for m in done.missing] == [
        "receipts: 8 sessions, 2024-05-10..2024-05-21: not asked, interrupted"
    ]


def test_a_gap_is_a_contract_without_settlement_not_only_a_session_without_bars(store):
    run(Play("bars", bars), store)
    assert lacking(store, "si", "bars", DAYS).empty
    fresh = Store(store.folder / "b")
    for day in DAYS:
        frame = bars(day)
        if day == DAYS[2]:
            frame.loc[frame["contract"] == "si2409", "settle"] = None
        if day == DAYS[4]:
            frame = frame[frame["contract"] != "si2409"]
        fresh.upsert("si", "bars", frame)
    assert list(lacking(fresh, "si", "bars", DAYS)) == [DAYS[2], DAYS[4]]


def test_a_whole_answer_that_lacks_a_contract_is_not_asked_for_again(store):
    source = Play("bars", lambda day: bars(day).iloc[1:])
    done = run(source, store)
    assert [str(m) for m in done.missing] == [
        "bars: 12 sessions, 2024-05-06..2024-05-21: the source has no more contracts"
    ]
    again = Play("bars", bars)
    run(again, store)
    assert again.asked == []


def test_a_kind_the_source_does_not_give_is_refused_by_name(store):
    with pytest.raises(SettingError, match="Did you mean 'receipts'"):
        run(Play(), store, kinds=["receipt"])


def test_permanent_trouble_ends_the_pull_and_keeps_what_came(store):
    source = Play()
    source.plan["2024-05-09"] = [SettingError("no token")]
    with pytest.raises(SettingError, match="no token"):
        run(source, store)
    assert len(store.read("si", "receipts")) == 3


def test_the_steps_count_up_to_all_sessions(store):
    steps: list[Step] = []
    run(Play(), store, steps=steps)
    assert (steps[0].outcome, steps[0].total) == ("begins", 12)
    assert [step.done for step in steps[1:]] == list(range(1, 13))


BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("now", "closed", "session"),
    [
        ("2024-05-15 16:29", "2024-05-14", "2024-05-15"),
        ("2024-05-15 16:30", "2024-05-15", "2024-05-15"),
        ("2024-05-18 12:00", "2024-05-17", "2024-05-17"),  # a Saturday
        ("2024-05-03 23:00", "2024-04-30", "2024-04-30"),  # Labour Day's holiday
    ],
)
def test_a_session_has_closed_at_half_past_four_in_beijing(now, closed, session):
    moment = datetime.fromisoformat(now).replace(tzinfo=BEIJING)
    assert last_closed(moment) == pd.Timestamp(closed)
    assert current(moment) == pd.Timestamp(session)
    assert last_closed(moment.astimezone(ZoneInfo("America/New_York"))) == pd.Timestamp(closed)


def test_beyond_the_calendar_there_is_a_sentence_not_a_guess():
    with pytest.raises(DataError, match="update exchange-calendars"):
        last_closed(datetime(2199, 1, 1, tzinfo=BEIJING))


class Terms:
    """A source of dated terms: one question a contract, over all the days asked for."""

    name, kinds = "play", ("terms",)

    def __init__(self, answer) -> None:
        self.answer, self.asked = answer, 0

    def asks(self, product, kind, days, store):
        yield Ask(kind, "si2407", tuple(days), self.fetch)

    def fetch(self) -> pd.DataFrame:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


NO_NEWS = pd.DataFrame(columns=["contract", "item", "from", "value", "source", "confidence"])


def test_terms_that_agree_with_what_is_known_are_not_missing_and_asked_for_once(store):
    source = Terms(NO_NEWS)
    assert run(source, store).missing == []
    assert run(source, store).missing == []
    assert source.asked == 1


def test_terms_a_source_refuses_are_told(store):
    [missing] = run(Terms(Wrong("no permission to read fut_settle")), store).missing
    assert missing.kind == "terms"
    assert "no permission to read fut_settle" in missing.why


def test_bars_a_stand_in_joined_are_still_the_exchanges_to_settle(store):
    for day in DAYS:
        store.upsert("si", "bars", bars(day).assign(source="import si.csv"))
        sina = bars(day).assign(close=11995.0, volume=1.0, source="akshare sina")
        store.upsert("si", "bars", sina, keep="old")
    assert set(store.read("si", "bars")["source"]) == {"import si.csv + akshare sina"}
    assert list(lacking(store, "si", "bars", DAYS)) == list(DAYS)


def test_imported_settlements_give_way_to_the_exchanges(store):
    for day in DAYS:
        store.upsert("si", "bars", bars(day).assign(settle=12005.0, source="import si.csv"))
    source = Play("bars", bars)
    done = run(source, store)
    assert len(source.asked) == len(DAYS)
    assert done.missing == []
    assert set(store.read("si", "bars")["settle"]) == {12000.0}
    again = Play("bars", bars)
    run(again, store)
    assert again.asked == []


def test_a_settlement_the_exchange_confirms_is_not_asked_for_again(store):
    for day in DAYS:
        store.upsert("si", "bars", bars(day).assign(volume=5.0, source="import si.csv"))
    assert run(Play("bars", bars), store).missing == []
    assert set(store.read("si", "bars")["source"]) == {"import si.csv + akshare gfex"}
    again = Play("bars", bars)
    run(again, store)
    assert again.asked == []


def test_an_import_that_names_akshare_is_no_quote_of_akshare(store):
    spot = pd.DataFrame({"date": DAYS, "grade": "553", "price": 12000.0,
                         "source": "import s.csv: akshare 100ppi"})
    store.upsert("si", "spot", spot)
    assert len(lacking(store, "si", "spot", DAYS, "akshare")) == len(DAYS)
    store.upsert("si", "spot", spot.assign(grade="441", source="akshare 100ppi"))
    assert lacking(store, "si", "spot", DAYS, "akshare").empty


@pytest.mark.parametrize(("answer", "failed"), [
    (pd.DataFrame(), False),
    (Denied("this token may not read it"), False),
    (Wrong("another day"), True),
    (Temporary("it answered 500"), True),
    (Unreachable("gone"), True),
])
def test_a_session_has_failed_where_there_was_no_good_answer(store, answer, failed):
    source = Play()
    source.plan["2024-05-08"] = [answer]
    [missing] = run(source, store).missing
    assert missing.failed is failed


def test_a_site_that_cannot_be_reached_is_asked_for_nothing_else(store):
    asked = []

    class Sites:
        name, kinds = "play", ("receipts", "terms")

        def asks(self, product, kind, days, store):
            def fetch():
                asked.append(kind)
                raise Unreachable("gone")

            yield Ask(kind, "2024-05-06", (DAYS[0],), fetch, site="a")
            yield Ask(kind, "si2407", (), fetch, site="a")
            yield Ask(kind, "si2408", (), fetch, site="b")

    done = run(Sites(), store)
    assert asked == ["receipts", "receipts", "receipts", "receipts"]  # both sites, twice each
    assert done.unreachable == "gone"
