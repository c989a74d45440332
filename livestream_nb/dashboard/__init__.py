"""What a person sees: the live view of a reader, and its still twin for places without widgets.

``view`` and what it builds on (``live``, ``pump``) are widgets. ``snapshot``, ``words``,
``drawing`` and ``static`` use none of them. The browser's part is in ``script``.
"""

from livestream_nb.dashboard.beside import side_by_side

__all__ = ["side_by_side"]
