"""`pullcord`, but who died while sending is replaced after two seconds: nobody waits 45 for a test."""

from datetime import timedelta

from app.dispatch import deliveries
from workers import cli

if __name__ == "__main__":
    deliveries.LEASE = timedelta(seconds=2)
    cli.main()
