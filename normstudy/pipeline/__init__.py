"""The notebooks: which are out of date, how they are executed, and how their results are handed to the renderers."""
