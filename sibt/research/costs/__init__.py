"""Fundamentals: cost sheets, break-evens and balances, each a small function of its inputs."""
