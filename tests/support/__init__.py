"""What tests of several kinds share: real servers, waiting, small factories."""
