"""Coverage-guided fuzzing of everything that reads bytes somebody else wrote; docs/fuzzing.md says how."""
