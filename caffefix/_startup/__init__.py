"""Code that exists only to make a run start fast: checking a small net takes as long as importing a few libraries.

``bench/speed_table.py process`` measures starts; docs/performance.md has the figures. Otherwise each module can be
read as the library that it replaces: ``dataclasses``, ``re``, ``gc``, ``pathlib``.
"""
