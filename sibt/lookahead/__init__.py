"""Does a strategy see what it could not have known? Proof or disproof, with day and input."""
