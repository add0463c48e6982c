"""Message translation: mapping files -> rules -> plans -> compiled functions, and the canonical schemas beside them."""
