"""Semantic patches: fixes written as the diff that they make.

A ``.patch`` file is read (``source``, ``front``, ``body``), checked (``checks``) and turned into a
``Fixer`` (``load``), which the engine runs like any other: it matches (``matcher``, ``layers``), and writes the
same edits on nodes (``rewrite``). ``derive`` makes a patch from an example.
"""
