"""Research made checkable: what reports claim, and the costs they rest on."""
