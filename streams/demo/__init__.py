"""The whole product on one machine, with a storm that is played and a story that is checked."""
