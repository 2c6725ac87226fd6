# The ways into Nightdesk. `make` lists them; CONTRIBUTING.md says what runs where.
SHELL := /bin/sh
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
REPORTS := build/reports
AT_ONCE = --numprocesses=$(or $(JOBS),3) --dist=loadfile

# Hundreds of processes are started, and each would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up down logs status password ack silence silences unsilence alert-test schedule run backfill demo-logs restore report import demo-trades restore-backup test test-slow check format fuzz acceptance e2e chaos chaos-long night alerter-kills alerter-load bench bench-scale bench-endurance bench-cost replay replay-remove dashboards-save screenshots lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the desk: Compose where a Docker engine answers, else local processes; ON=compose or ON=local decides ---

up: ## start the desk and say where to look
	@deploy/desk up

down: ## stop the desk; its data stays
	@deploy/desk down

logs: ## follow the logs of every service
	@deploy/desk logs

status: ## say what runs and how it is
	@deploy/desk status

password: ## print Grafana's admin password and the token of the login from outside
	@deploy/desk password

# --- alerts; make passes ID, NOTE, MATCH, FOR and REASON on in the environment, where nothing has to be quoted twice ---

ack: ## acknowledge an alert: ID=12, and NOTE='why' if you like
	@deploy/desk ack

silence: ## silence alerts: MATCH='alertname=SymbolSilent,symbol=BTC.*' FOR=2h (a minute at least), and REASON='why' if you like
	@deploy/desk silence

silences: ## list what is silenced
	@deploy/desk silences

unsilence: ## end a silence now: ID=3
	@deploy/desk unsilence

alert-test: ## send a test through every channel and print what each answered
	@deploy/desk alert-test

# --- jobs; ARGS is a JSON object, passed on in the environment as the others are ---

schedule: .venv/.made-from ## print the next runs of every job, in exchange, local and UTC time
	@$(BIN)/python -m services.scheduler.upcoming

run: ## do a job now, with a progress bar: JOB=verify_data ARGS='{"days": 2}'
	@deploy/desk run

backfill: ## fill gaps now: SYMBOL=BTCUSDT FROM=2026-11-01 TO=2026-11-02T12:00 if you like; DRY_RUN=1 only says what it would ask
	@deploy/desk backfill

restore: ## bring an archived day back into the database: DAY=2026-11-01
	@deploy/desk restore

restore-backup: ## restore the newest backup of the database into an empty one, or FILE=...; FORCE=1 puts a full one aside
	@deploy/desk restore-backup

demo-logs: ## write a day of six services' logs, made up, and the week before it, and digest them: ARGS='{"lines": 20000}'
	@JOB=demo_logs deploy/desk run
	@JOB=log_digest ARGS='{"notify": false, "tell_new": false}' deploy/desk run

# --- orders ---

import: ## record a file of CSV: FILE=orders.csv KIND=orders (or traders, instruments), CREATE=yes records what its orders name as well
	@deploy/desk import

report: ## print the trade report and write it below reports/: FROM=2026-11-01 TO=2026-11-28, both included; else this month
	@deploy/desk report

demo-trades: ## make up a month of orders, the same ones every time: ARGS='{"month": "2026-11", "orders": 5000}' if you like
	@deploy/desk demo-trades

# --- proof ---

.venv/.made-from: requirements/dev.txt deploy/venv
	@deploy/venv && touch $@

test: .venv/.made-from ## run the unit, contract and integration tests; JOBS=3 files at once, for they wait more than they work
	@$(BIN)/python -m deploy.local.machine
	$(PYTEST) tests/unit tests/contract tests/integration -m "not slow" $(AT_ONCE) --junitxml=$(REPORTS)/test.xml $(ARGS)

test-slow: .venv/.made-from ## run those that take long: outages, recordings, any request of our OpenAPI, clients that never end
	@$(BIN)/python -m deploy.local.machine
	$(PYTEST) tests/unit tests/contract tests/integration -m slow $(AT_ONCE) --junitxml=$(REPORTS)/test-slow.xml $(ARGS)

check: .venv/.made-from ## look at format, lint, types, imports, configuration and rules
	@deploy/check

format: .venv/.made-from ## format and mend what can be mended without thinking
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

fuzz: .venv/.made-from ## search for input that breaks a claim; TARGET=prefix FOR=seconds a target; keeps what it learns in build/fuzz
	@$(BIN)/python -m tests.fuzz $(if $(TARGET),--target $(TARGET)) $(if $(FOR),--for $(FOR)) $(ARGS)

acceptance: .venv/.made-from ## run the alerter as it is used: a real Prometheus, scripted channels, kills, a storm of alerts
	$(PYTEST) tests/acceptance $(AT_ONCE) --junitxml=$(REPORTS)/acceptance.xml $(ARGS)

e2e: .venv/.made-from ## run the whole stack in Compose and look at it in a browser
	$(PYTEST) tests/e2e --junitxml=$(REPORTS)/e2e.xml $(ARGS)

chaos: .venv/.made-from ## break things while trades flow and count every id; ONLY=kill-worker, ON=local
	$(BIN)/python -m tests.chaos $(if $(ONLY),--only $(ONLY)) $(ARGS)

chaos-long: .venv/.made-from ## the same with what takes long: everything killed together, an hour without Redis
	$(BIN)/python -m tests.chaos --long $(ARGS)

night: .venv/.made-from ## a week of market hours in 17 minutes, with 34 incidents: what was told, when, where; SEED=7; writes build/night.json
	$(BIN)/python -m tests.night $(if $(SEED),--seed $(SEED)) $(ARGS)

alerter-kills: .venv/.made-from ## kill -9 the alerter in a storm of alerts and count each transition; KILLS=200; writes build/alerter-kills.json
	@$(BIN)/python -m tests.alerting.kills $(if $(KILLS),--kills $(KILLS)) $(ARGS)

alerter-load: .venv/.made-from ## 5,000 alerts at once: messages, memory, CPU; FOR=seconds; writes build/alerter-load.json
	@$(BIN)/python -m tests.alerting.load $(if $(FOR),--seconds $(FOR)) $(ARGS)

bench: .venv/.made-from ## measure the limit, the collector and the pipeline; ONLY=prefix FOR=seconds; writes build/bench.json
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(FOR),--for $(FOR)) $(ARGS)

bench-scale: .venv/.made-from ## measure 1, 2, 4 workers by 5, 50, 500 symbols in one table; FOR=seconds; writes build/scale.json
	$(BIN)/python -m bench.scale $(if $(FOR),--for $(FOR)) $(ARGS)

bench-endurance: .venv/.made-from ## ten minutes at 2,000/s and an hour at 10x: every process's memory; ON=local; writes build/endurance.json
	$(BIN)/python -m bench.endurance $(if $(ONLY),--only $(ONLY)) $(if $(FOR),--for $(FOR)) $(ARGS)

bench-cost: .venv/.made-from ## CPU and disk of a day of ten liquid pairs, part by part; ON=local FOR=seconds; writes build/cost.json
	$(BIN)/python -m bench.cost $(if $(FOR),--for $(FOR)) $(ARGS)

replay: .venv/.made-from ## send a recording through the whole path: FEED=binance FILE=x.ws.jsonl SPEED=max
	@$(BIN)/python -m deploy.replay --feed "$(FEED)" --file "$(FILE)" --speed "$(or $(SPEED),max)"

replay-remove: .venv/.made-from ## stop and delete the database that the last replay left
	@$(BIN)/python -m deploy.replay --remove

dashboards-save: .venv/.made-from ## write dashboards that were edited in Grafana back to their files
	$(BIN)/python -m deploy.dashboards

screenshots: .venv/.made-from ## draw the running dashboards and pages into docs/images
	$(BIN)/python -m tests.e2e.screenshots

# --- upkeep ---

lock: ## resolve the newest dependencies into requirements/, with hashes
	@deploy/lock

clean: ## remove what was built; the environment and the data stay
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis
