"""Let ``python -m sibt`` be the command line."""

from sibt.cli import main

if __name__ == "__main__":
    main()
