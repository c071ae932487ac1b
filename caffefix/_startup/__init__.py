"""What is here only so that a run starts fast: checking a small net takes as long as importing a few libraries.

``bench/speed_table.py process`` measures starts; docs/performance.md has the figures. Whoever does not care for
them can read each module as the library that it stands in for: ``dataclasses``, ``re``, ``gc``, ``pathlib``.
"""
