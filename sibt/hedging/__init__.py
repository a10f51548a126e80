"""The physical book beside the futures account."""
