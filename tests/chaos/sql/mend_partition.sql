-- Every partition takes rows again.
DROP FUNCTION IF EXISTS chaos_refuse() CASCADE
