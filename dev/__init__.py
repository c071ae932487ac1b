"""For those who work on caffefix: ``python -m dev``. Not part of the wheel; see CONTRIBUTING.md."""
