"""A whole desk to be measured: how it is started, driven and looked at, shared by endurance, cost and scale."""
