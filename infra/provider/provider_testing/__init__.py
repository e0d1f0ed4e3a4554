"""What the tests of the stand-in share: Terraform in a folder of its own, an engine, an image."""
