"""One-shot jobs: each brings one service into the state that platform.yaml describes, run after run."""
