"""Stand-ins for what lies between Pullcord and a pocket: push service, phone, and its notification tray."""
