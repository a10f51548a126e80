"""Hedge ratios: how many tonnes to sell forward for each tonne owned, estimated from the past."""
