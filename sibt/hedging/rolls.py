"""The rolls of a run (移仓): what moving lots from contract to contract brought and cost."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sibt.engine.ledger import FILL_REASONS
from sibt.engine.result import Result
from sibt.hedging.outcome import traded

__all__ = ["COLUMNS", "roll_table"]

#: Columns of the table; see `roll_table`.
COLUMNS = ("session", "leg", "what", "old", "new", "lots", "price_out", "price_in", "spread",
           "fees", "slippage", "cost", "spread_to_date", "cost_to_date", "entry")  # fmt: skip

_ROLL = FILL_REASONS.index("roll")
_SETTLED = FILL_REASONS.index("exit date, at settlement")


def roll_table(result: Result) -> pd.DataFrame:
    """Return the rolls of a run, one row a session, leg and old contract.

    A roll that takes several sessions has a row in each. Lots of an old contract that did not
    roll in time and left at settlement have a row too (``what`` is "rest, at settlement"): it has
    no price in, no spread and no cost, only the fee they left at.

    Lots are signed as held, + long, − short, and so is the spread read: a short buys the old
    contract back and sells the new one, so it receives ``price_in − price_out``; a long pays it.
    No cash moves with a spread: it is in the futures result by the time the new contract is
    closed. What rolls add up to is the price a position was entered at:

        entry = average price of its openings + spread_to_date (a short; a long: −).

    Parameters
    ----------
    result : Result
        The futures account.

    Returns
    -------
    pd.DataFrame
        - session, leg, old, new : where, and from which contract into which
        - what : "roll" or "rest, at settlement"
        - lots : rolled, signed as held
        - price_out, price_in : fill prices, yuan per tonne
        - spread : received (+) or paid (−) at these prices, yuan per tonne
        - fees : of both fills, yuan
        - slippage : of both fills, yuan; it is part of the fill prices and so of the spread
        - cost : fees − spread × tonnes, yuan; negative where the roll brought in more than fees
        - spread_to_date, cost_to_date : all rolls of the position so far, yuan per tonne of it,
          those in this row included; rolling half of it at 40 adds 20, and lots opened later,
          which have not rolled, thin it out
        - entry : price the leg's position was in effect entered at, after this row, yuan per
          tonne; NaN where nothing of it is left

        NaN is unknown. ``(cost − fees).sum()`` is what all rolls paid (+) or received (−) from
        contract to contract, yuan.
    """
    job = result.job
    costs = traded(result, job.market.sessions)
    fills = zip(
        result.booked["fills"].tolist(), costs["fee"], costs["slippage"], strict=True
    )  # fmt: skip
    legs = [_Position() for _ in job.legs]
    rows: list[dict[str, Any]] = []
    for (t, leg, k, signed, price, _, _, reason), fee, slippage in fills:
        position, into = legs[leg], k
        row: dict[str, Any] = {
            "session": job.market.sessions[t], "leg": job.legs[leg], "old": job.contracts[k],
            "price_out": price / 100, "fees": fee, "slippage": slippage,
        }  # fmt: skip
        if reason == _ROLL:
            # The ledger books both halves of a roll one after the other.
            (_, _, into, lots, entry, *_), more, slipped = next(fills)
            tonnes = abs(lots) * int(job.terms.multiplier[into])
            spread = (price - entry if lots > 0 else entry - price) / 100
            row["fees"] = round(fee + more, 2)
            row["cost"] = round(row["fees"] - spread * tonnes, 2)
            position.roll(lots, spread, row["cost"] / tonnes)
            row |= {"what": "roll", "price_in": entry / 100, "spread": spread,
                    "slippage": round(slippage + slipped, 2)}  # fmt: skip
        else:
            position.trade(signed, price / 100)
            into, lots = int(job.codes[t - 1, leg]), -signed
            if reason != _SETTLED or k == into:
                continue
            row["what"] = "rest, at settlement"
        rows.append(row | {"new": job.contracts[into], "lots": lots} | position.told())
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    money = dict.fromkeys(COLUMNS[COLUMNS.index("price_out") :], float)
    return table.astype({"session": "datetime64[ns]", "lots": int, **money})


@dataclass
class _Position:
    """A leg's lots, signed, and what they were opened at and rolled for, yuan per tonne.

    At average cost, whatever the order in which the ledger closes lots: what closes takes its
    share, and per tonne of the rest nothing changes.
    """

    lots: int = 0
    opened: float = 0.0
    spread: float = 0.0
    cost: float = 0.0

    def trade(self, signed: int, price: float) -> None:
        """Open or close lots."""
        if self.lots * signed >= 0:
            stays = self.lots / (self.lots + signed)
            self.opened = stays * self.opened + (1.0 - stays) * price
            self.spread *= stays
            self.cost *= stays
        self.lots += signed

    def roll(self, lots: int, spread: float, cost: float) -> None:
        """Roll some of the lots for a spread received and a cost, yuan per tonne rolled."""
        self.spread += spread * lots / self.lots
        self.cost += cost * lots / self.lots

    def told(self) -> dict[str, float]:
        """Return what of it the table tells; nothing where no lots are left."""
        if not self.lots:
            return {}
        entry = self.opened - self.spread if self.lots > 0 else self.opened + self.spread
        return {"spread_to_date": self.spread, "cost_to_date": self.cost, "entry": entry}
