"""What people look at: the tear sheet and the terminal's table."""
