"""What notebooks ask of hits, where polars alone is awkward: visitors, visits, funnels, orders.

Everything takes the frame of ``Reader.hits()``. A DataFrame gives a DataFrame, a LazyFrame a
LazyFrame; the order of its rows does not matter, and nothing is left out silently: what is not
counted, each function says. Pure; knows frames only.

>>> from livestream_nb import analysis
>>> analysis.top(reader.hits(), "pageName")  # doctest: +SKIP
"""

from livestream_nb.analysis.frames import entry
from livestream_nb.analysis.funnels import funnel
from livestream_nb.analysis.orders import money, order_lines, orders
from livestream_nb.analysis.pages import exit_pages, landing_pages, top
from livestream_nb.analysis.visitors import visitor, visits

__all__ = [
    "entry",
    "exit_pages",
    "funnel",
    "landing_pages",
    "money",
    "order_lines",
    "orders",
    "top",
    "visitor",
    "visits",
]
