"""Answers as documents and drawings. An answer becomes a ``Report`` or a ``Drawing`` once; a format only writes those."""
