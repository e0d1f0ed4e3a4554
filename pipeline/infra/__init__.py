"""How the platform is built, brought up and taken down on this machine."""
