"""叫应: which ladder a warning climbs, who is called when, and how the messages go out."""
