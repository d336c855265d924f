"""What happens to a published model over time: retraining, promotion, drift, rollback, and who hears of it."""
