"""The service, faithfully: a model of Livestream, its hits, and the HTTP around them.

- The model, pure: ``service`` with its ``slots``, its ``gate`` and its ``rules``.
- The hits: ``traffic`` (made up by ``site``) or a ``replay``, placed in service time by ``hitlog``.
- The way out: ``http`` answers requests, ``delivery`` writes hits, ``server`` has the sockets.
- The trouble: ``faults`` are verbs, ``scenarios`` are stories of them; ``journal`` says what was.

``host`` puts them together. Nothing here knows of readers: any client will do.
"""
