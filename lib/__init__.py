"""Carbon Desk: quotes, orders and delivered tonnes over CNaught, Lune and Isometric."""
