"""What a phone is and should be: surveyed, told in words, and how one becomes root there."""
