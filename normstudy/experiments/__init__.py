"""Many trainings: one run, its parameters, sweeps, workers, tables of results, and by which code they were made."""
