"""What owners show everybody of their goods: public pages and link sets behind GS1 Digital Links, and their QR codes."""
