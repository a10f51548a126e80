"""Every arithmetic claim of the two reports, recomputed from the shipped inputs (g18, 79 rows)."""

import copy
import json
import tomllib
from pathlib import Path

import pytest

from sibt.research.costs.figure import AGREES, DIFFERS, ROUNDING
from sibt.research.costs.inputs import TABLES, _table, inputs, starter
from sibt.research.costs.sheet import sheet

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "g18_fundamentals_regression.json"
ROWS = {row[0]: row[1:] for row in json.loads(GOLDEN.read_text("utf-8"))["inputs"]["rows"]}

#: Row: table, figure, which end of it, and what a share is multiplied with.
WHERE = {
    "furnaces_total": ("furnaces", "total"),
    "furnaces_open": ("furnaces", "open"),
    "furnaces_change": ("furnaces", "change"),
    "open_rate_text_pct": ("furnaces", "text_rate", "low", 100),
    "open_rate_table_pct": ("furnaces", "rate", "low", 100),
    "si_new_capacity": ("capacity", "silicon"),
    "share_xinjiang_pct": ("capacity", "share_Xinjiang", "low", 100),
    "share_neimeng_pct": ("capacity", "share_Inner Mongolia", "low", 100),
    "poly_new_capacity": ("capacity", "poly"),
    "poly_per_GW_domestic": ("demand", "per_gw_China"),
    "poly_per_GW_global": ("demand", "per_gw_world"),
    "si_per_poly_domestic": ("demand", "si_per_poly_China"),
    "si_per_poly_global": ("demand", "si_per_poly_world"),
    "si_demand_220GW_at_seed004_ratios_low": ("demand", "silicon_China", "low"),
    "si_demand_220GW_at_seed004_ratios_high": ("demand", "silicon_China", "high"),
    "yunnan_kwh_implied": ("power", "use_Yunnan"),
    # The lower cost over the lower tariff is the higher consumption.
    "sichuan_kwh_implied_low": ("power", "use_Sichuan", "high"),
    "sichuan_kwh_implied_high": ("power", "use_Sichuan", "low"),
    "yunnan_cost_at_11500_low": ("power", "cost_Yunnan", "low"),
    "yunnan_cost_at_11500_high": ("power", "cost_Yunnan", "high"),
    "sichuan_cost_at_11500_low": ("power", "cost_Sichuan", "low"),
    "sichuan_cost_at_11500_high": ("power", "cost_Sichuan", "high"),
    "oi_growth_pct": ("trade", "interest", "low", 100),
    "cost_q1_2023": ("trade", "cost_before"),
    "profit_q1_2023": ("trade", "profit_before"),
    "avg_price_q1_2024": ("trade", "price"),
    "exports_cum": ("trade", "exports"),
    "exports_feb_mom_pct": ("trade", "exports_month", "low", 100),
    "exports_cum_yoy_pct": ("trade", "exports_year", "low", 100),
    "imports_cum": ("trade", "imports"),
    "imports_feb_mom_pct": ("trade", "imports_month", "low", 100),
    "export_top10_pct": ("trade", "top_share", "low", 100),
    "export_price_jan": ("trade", "export_price"),
    "poly_feb_implied_low": ("trade", "poly_before", "low"),
    "poly_feb_implied_high": ("trade", "poly_before", "high"),
    "pv_2023_jan_feb": ("trade", "solar_before"),
    "five_provinces_jan_feb": ("trade", "provinces"),
    "wafers_per_kg_PM10": ("watt", "pieces_P M10"),
    "wafers_per_kg_PG12": ("watt", "pieces_P G12"),
    "wafers_per_kg_NM10": ("watt", "pieces_N M10"),
    "wafers_per_kg_NG12": ("watt", "pieces_N G12"),
    "watt_PM10": ("watt", "watts_P M10"),
    "watt_PG12": ("watt", "watts_P G12"),
    "watt_NM10": ("watt", "watts_N M10"),
    "watt_NG12": ("watt", "watts_N G12"),
    "g_per_W_PM10": ("watt", "grams_P M10"),
    "g_per_W_PG12": ("watt", "grams_P G12"),
    "g_per_W_NM10": ("watt", "grams_N M10"),
    "g_per_W_NG12": ("watt", "grams_N G12"),
    "wafer_may_poly_wan_t": ("watt", "need"),
    "wafer_may_fall_wan_t": ("watt", "fall"),
    "poly_fleet_tbl5": ("capacity", "fleet"),
    "poly_new_2024_named": ("capacity", "starting"),
    "E_direct_low": ("plant", "direct", "low"),
    "E_direct_high": ("plant", "direct", "high"),
    "E_full_low_share": ("plant", "full_shares", "low"),
    "E_full_high_share": ("plant", "full_shares", "high"),
    "E_full_low_markup": ("plant", "full_markups", "low"),
    "E_full_high_markup": ("plant", "full_markups", "high"),
    "E_power_per_t": ("plant", "power"),
    "E_dcost_per_0.01_yuan": ("plant", "power_step"),
    "E_6_furnaces_low": ("plant", "daily_output", "low"),
    "E_6_furnaces_high": ("plant", "daily_output", "high"),
    "powder_gap": ("powder", "gap"),
    "powder_breakeven_low_fee": ("powder", "breakeven", "low"),
    "powder_B_margin_y88_d4000": ("powder", "margin_B", "high"),
    "powder_B_margin_y87_d5000": ("powder", "margin_B", "low"),
    "powder_B_capacity_24h": ("powder", "month"),
    "powder_B_week": ("powder", "week"),
    "wafer_rev_per_kg": ("wafer", "revenue"),
    "wafer_cash_cost_implied": ("wafer", "cash_cost"),
    "wafer_full_cost_implied": ("wafer", "full_cost"),
    "wafer_depr_per_piece": ("wafer", "depreciation"),
    "D_nonsi_per_kg_feed": ("wafer", "rod_cost"),
    "G_reduction_kwh_low": ("poly", "reduction", "low"),
    "G_reduction_kwh_high": ("poly", "reduction", "high"),
    "powder_cost_in_poly_G": ("poly", "silicon_G"),
    "powder_cost_in_poly_A_high": ("poly", "silicon_A", "high"),
    "F_power_cost_at_0.2": ("poly", "power", "low"),
}

#: What the remarks of the case say of printed figures: the rest agrees.
SLIPS = {
    "furnaces_change", "share_xinjiang_pct", "share_neimeng_pct", "poly_new_capacity",
    "si_demand_220GW_at_seed004_ratios_low", "si_demand_220GW_at_seed004_ratios_high",
    "yunnan_cost_at_11500_low", "yunnan_cost_at_11500_high", "sichuan_cost_at_11500_low",
    "sichuan_cost_at_11500_high", "E_6_furnaces_low", "E_6_furnaces_high",
    "powder_B_capacity_24h",
}  # fmt: skip
#: Prices and fees a figure is compared with, not what the report makes of it.
BESIDE = {"powder_gap", "powder_breakeven_low_fee"}


def recomputed(own, key):
    """Return the figure of a row, and the number in it."""
    table, name, *rest = WHERE[key]
    end, times = [*rest, *("low", 1)[len(rest):]]
    figure = next(f for f in sheet(table, own).figures if f.name == name)
    return figure, getattr(figure.value, end) * times


def test_every_row_has_its_figure():
    assert len(ROWS) == 79
    assert set(WHERE) == set(ROWS)


@pytest.mark.parametrize("key", ROWS)
def test_a_row_is_exact_to_four_decimals(key):
    assert f"{recomputed(inputs(), key)[1]:.4f}" == f"{float(ROWS[key][1]):.4f}"


@pytest.mark.parametrize("key", [k for k, row in ROWS.items() if row[2] != "-"])
def test_the_printed_figure_agrees_or_slips_as_it_is_said_to(key):
    figure, _ = recomputed(inputs(), key)
    printed = ROWS[key][2]
    if key in BESIDE:
        assert figure.verdict == ""
        return
    if key.startswith("g_per_W"):  # printed in 10,000 t a GW
        figure = next(f for f in sheet("watt", inputs()).figures
                      if f.name == figure.name.replace("grams", "per_gw"))
        assert figure.printed.low == pytest.approx(float(printed) / 10)
    else:
        times = 100 if key.endswith("_pct") else 1
        ends = {end * times for end in figure.printed}
        assert any(end == pytest.approx(float(printed)) for end in ends)
    expected = DIFFERS if key in SLIPS else AGREES
    if key == "imports_feb_mom_pct":  # "rounding of inputs"
        expected = ROUNDING
    assert figure.verdict == expected


def test_powder_stands_closer_to_the_block_than_the_fee():
    named = {f.name: f.value for f in sheet("powder", inputs()).figures}
    assert named["gap"].high < 1000
    assert named["after_fee"].high < 0
    assert named["breakeven"].low > inputs()["powder"]["powder"]


def leaves(value, path=()):
    """Yield the place of every number of the file that is no printed one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not str(key).startswith("printed"):
                yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    elif isinstance(value, int | float):
        yield path


FILE = tomllib.loads(starter())
#: Numbers that are shown as they are.
LABELS = {("plant", "furnace", "kva"), ("furnaces", "province", "text_open")}


def read(given):
    """Return inputs as a file of them is read."""
    return _table(given, FILE, "", "")


def changed(path):
    """Return the shipped inputs with one number one per cent larger."""
    given = copy.deepcopy(FILE)
    at = given
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = at[path[-1]] * 1.01 if at[path[-1]] else 1
    if isinstance(at, list):
        at.sort()
    return read(given)


def numbers(own):
    return {(name, f.name, end): getattr(f.value, end)
            for name in TABLES for f in sheet(name, own).figures for end in ("low", "high")}


def test_every_input_moves_a_figure_and_every_row_is_moved_by_one():
    before, moved = numbers(inputs()), set()
    for path in leaves(FILE):
        if tuple(step for step in path if isinstance(step, str)) in LABELS:
            continue
        after = numbers(changed(path))
        own = {key for key, value in after.items() if value != before[key]}
        assert own, path
        assert {key[0] for key in own} == {path[0]}, path
        moved |= own
    for key, (table, name, *rest) in WHERE.items():
        assert (table, name, (rest or ["low"])[0]) in moved, key
