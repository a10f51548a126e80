"""Scored reports as people see them: the page, its charts, and the folder it lies in."""

from sibt.report.claims.folder import check_folder, write
from sibt.report.claims.page import claims_html

__all__ = ["check_folder", "claims_html", "write"]
