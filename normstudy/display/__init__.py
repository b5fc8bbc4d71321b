"""How things look: numbers, figures, tables in notebooks, the spreadsheet, the page's data."""
