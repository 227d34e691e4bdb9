"""A made-up company to try Backoffice with, in any size: people, their profiles and their portraits."""
