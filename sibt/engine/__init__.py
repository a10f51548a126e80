"""What the exchange lets a strategy hold, and the account it keeps."""
