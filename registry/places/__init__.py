"""Where a place named in words lies: streets, cross streets and house numbers, found on the roads we know."""
