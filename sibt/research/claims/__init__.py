"""What reports claim, held against what happened."""
