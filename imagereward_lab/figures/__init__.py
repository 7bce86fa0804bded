"""Results of measurements: figures with intervals, as tables for people, files for programs, drawings and one page."""
