"""`livevae bench timing`: a scripted clock in, an independent recorder, every onset's error."""
