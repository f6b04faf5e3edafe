"""Reports: outcomes become tables, a plot and a page."""

from coalm.report.view import SummaryRow
from coalm.report.writing import TITLE, Written, build

__all__ = ["TITLE", "SummaryRow", "Written", "build"]
