"""A module a chapter of the report: its tables, figures, numbers and claims."""
