"""What artreg tells other systems, which cannot undo what artreg does, and how it speaks to them."""
