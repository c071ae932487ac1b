"""What the command line does, a room for each verb: ``commands/deploy`` is ``caffefix deploy``.

A room holds all of its verb: ``command.py`` (options and the click command, called ``command``), the work, what it
tells, and the records that pass between these. A verb is registered by having a room, and its command is imported only
when it is asked for. What several verbs do with the terminal, options and files is in ``_shared/``.

``repair`` is what ``caffefix PATH…`` does. It is called most often, and importing click takes as long as checking a
small net: so ``repair/run.py`` does without, and ``repair/command.py`` has its options.
"""
