"""One package per command: ``commands/deploy`` is ``caffefix deploy``.

A package holds everything about its command: ``command.py`` (the options, and the click command, called
``command``), the work, its text and JSON, and the records that pass between these. Each package in this folder is
a command, and is imported only when it is called. What several commands do with the terminal, options and files is
in ``_shared/``.

``repair`` is what ``caffefix PATH…`` does. It is called most often, and importing click takes as long as checking
a small net, so ``repair/run.py`` does not use click; ``repair/command.py`` declares its options.
"""
