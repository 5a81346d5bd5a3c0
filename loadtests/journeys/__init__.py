"""What people do on the platform, a module a journey: each is a function on a LoadTrade and knows nothing of Locust."""
