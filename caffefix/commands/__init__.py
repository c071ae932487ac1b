"""One package per command: ``commands/deploy`` is ``caffefix deploy``.

A package holds all of its command: ``command.py`` (the options, and the click command, called ``command``), the
work, its text and JSON, and the records that pass between these. A command is registered by its package being
here, and is imported only when it is asked for. What several commands do with the terminal, options and files is
in ``_shared/``.

``repair`` is what ``caffefix PATH…`` does. It is called most often, and importing click takes as long as checking
a small net: so ``repair/run.py`` does without, and ``repair/command.py`` has its options.
"""
