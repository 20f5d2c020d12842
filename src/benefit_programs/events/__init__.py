"""What happened, in the shape in which it is delivered."""
