"""What an idea wants to hold: strategies, their parameters, and the blocks they are built of."""
