"""The schema's history, applied by `Database.start`: one file per change under `versions`."""
