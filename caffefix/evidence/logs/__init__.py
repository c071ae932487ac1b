"""Training logs: what Caffe said while it trained.

bytes → lines (``stream``) → events (``grammar``) → a bounded summary (``reader``, ``model``) →
conclusions: the fork (``forks``), the numbers behind the numbers (``decode``), what went wrong (``diagnosis``),
where a net file disagrees (``compare``), and what fixers may rely on (``findings.Assumptions.log``).
"""
