"""A first mapping and section for an agency, guessed from its contract; a person reads them before they count."""
