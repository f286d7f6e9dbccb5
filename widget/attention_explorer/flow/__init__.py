"""What is shown beside raw weights: norms, rollout, relevance, direct logit attribution."""

from .measures import available, measure

__all__ = ["available", "measure"]
