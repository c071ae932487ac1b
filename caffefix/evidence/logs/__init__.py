"""Training logs: what Caffe said while it trained.

bytes → lines (``stream``) → events (``grammar``) → a bounded summary (``reader``, ``model``) →
what it tells: the fork (``forks``), numbers that stand behind the numbers (``decode``), what
went wrong (``diagnosis``), what a net file says otherwise (``compare``), and what fixers may
rely on (``findings.Assumptions.log``).
"""
