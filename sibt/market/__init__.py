"""What was known, and when: calendar, contracts, terms and the panel of prices."""
