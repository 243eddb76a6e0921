"""What artreg tells other systems; none of them can fail or undo what artreg does."""
