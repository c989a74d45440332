"""What a person sees: the live view of a reader, and its still twin for places without widgets.

``view`` and what it builds on (``header``, ``live``, ``pump``) are widgets. ``snapshot``, ``words``
and ``static`` use none of them, so a still view needs no widget library of its own.
"""
