"""Policy providers: apps that judge custom policies, asked over HTTP before a decision."""
