"""Research reports as data: what they claim, the prices they name, and the costs they print."""
