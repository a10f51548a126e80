"""The page of a comparison: runs over each other and side by side, and what they differ in."""
