"""Server-rendered pages: complete without script; words, templates, charts."""
