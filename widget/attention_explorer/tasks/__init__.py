"""What a model does with a text, beside what it attends to: answers to questions."""
