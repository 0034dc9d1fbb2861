"""Makes compiled models of fitted ones, and checks that both give the same answers. Needs scikit-learn."""
