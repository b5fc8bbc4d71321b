"""From results to the report: Quarto, and Pandoc with Typst where it cannot be had."""
