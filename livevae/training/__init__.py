"""The offline side: data set, training loop, evaluation."""
