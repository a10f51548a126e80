"""What people look at: tear sheets, market pages, findings and the terminal's tables."""
