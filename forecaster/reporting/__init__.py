"""Draws a run as one HTML file that needs nothing but a browser.

The room is given frames, arrays and text, and imports no other room: what it draws was measured elsewhere.
"""

from forecaster.reporting.content import ReportContent
from forecaster.reporting.report import render, write_report

__all__ = ["ReportContent", "render", "write_report"]
