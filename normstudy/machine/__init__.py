"""What every part needs of the computer: processes, devices, whole files, checkpoints. Nothing of normalization."""
