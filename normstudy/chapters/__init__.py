"""A module a chapter of the report: its tables, figures and sentences."""
