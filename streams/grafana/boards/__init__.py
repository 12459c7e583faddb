"""One dashboard a file: `FOLDER` (its folder's title) and `build(desk) -> Dashboard`. The folder is the registry."""
