"""`gateway doctor`: everything between here and each agency, looked at from the outside; changes nothing."""
