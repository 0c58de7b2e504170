"""Answers as documents and drawings. An answer becomes a ``Report`` or a ``Drawing`` once; a format only writes those."""

from cmdb_server.answers.render.formats import DRAWINGS, FORMATS, MEDIA, REPORTS, SUFFIX, Format, rendered

__all__ = ["DRAWINGS", "FORMATS", "MEDIA", "REPORTS", "SUFFIX", "Format", "rendered"]
