"""A server for agents, by the Model Context Protocol: tools that call the API's methods."""
