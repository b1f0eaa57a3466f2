"""Who may do what in a registry: roles of the server, members with an organisation, and who acts in a session."""
