"""What may be trained: the estimators of scikit-learn, their parameters and what each of them accepts."""
