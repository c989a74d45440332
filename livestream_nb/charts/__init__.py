"""Small frames become altair charts.

One set of panels draws the live view, the PNG and the report, so they cannot disagree. A gap is a
gap: where there is no row nothing is drawn, and a connected second without hits is a line at zero.
Nothing is told by colour alone: a state has a word and a shape too. These modules know frames and
nothing above them. ``pictures`` has the charts; only it, and the panels it is made of, load altair.
"""
