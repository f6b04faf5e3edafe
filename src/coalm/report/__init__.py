"""Reports: outcomes become tables, a plot and a page."""
