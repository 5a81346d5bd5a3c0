"""The edge: pages for people, the merged API description, health and metrics, and the configuration of nginx."""
