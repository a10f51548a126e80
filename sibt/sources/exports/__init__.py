"""Files of terminals and spreadsheets: understood, checked, and taken into the store."""
