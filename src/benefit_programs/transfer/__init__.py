"""Members' programs from files and into files: CSV or JSON lines, row by row, never as a whole."""
