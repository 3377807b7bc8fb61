"""What people in notebooks use; every surface here speaks to the server over HTTP."""
