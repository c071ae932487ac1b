"""``python -m caffefix``."""

from caffefix.cli import main

if __name__ == "__main__":
    main(prog_name="caffefix")
