"""Libraries beside scikit-learn whose estimators are trained where they are installed; nothing here imports them."""
