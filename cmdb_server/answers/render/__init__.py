"""Answers as documents and drawings. An answer becomes a ``Report`` or a ``Drawing`` once; a format only writes those."""

from cmdb_server.answers.render.formats import CALENDARS, DRAWINGS, FORMATS, MEDIA, REPORTS, SUFFIX, Format, rendered

__all__ = ["CALENDARS", "DRAWINGS", "FORMATS", "MEDIA", "REPORTS", "SUFFIX", "Format", "rendered"]
