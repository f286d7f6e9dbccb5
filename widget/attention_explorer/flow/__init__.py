"""What is shown beside raw weights: norms, rollout, relevance, direct logit attribution."""
