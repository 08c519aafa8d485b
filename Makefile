# `make up` is the whole story; `make help` lists the rest. STACK chooses the lab: Pulumi.$(STACK).yaml.
STACK ?= dev
ifeq ($(strip $(STACK)),)
$(error STACK= names no lab; leave it out for dev, or give the name of a Pulumi.<lab>.yaml)
endif
SHELL := /bin/sh
PYTHON := .venv/bin/python
PULUMI = $(PYTHON) -m toolchain pulumi --
LOAD_TEST = $(PYTHON) -m load_test --stack $(STACK)
UNIT_TESTS = $(PYTHON) -m pytest -q --numprocesses logical --maxprocesses 4 --dist worksteal tests/unit
OPERATIONS = $(PYTHON) -m operations --stack $(STACK)

.DEFAULT_GOAL := help
.PHONY: help ready lab up preview refresh down new-lab status logs shell adopt drill-reboot lock recover backup restore ready-load load load-ui drill bench test test-unit test-lab test-long lint env clean

# On one screen: `##@` begins a part, `##` says what a target does, `#@` only names it.
help:
	@sed -n -e 's/^##@ //p' -e 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 16
	@echo "cloudlet itself:" $$(sed -n 's/^\([a-z-]*\):.*#@ .*/\1/p' Makefile)

##@ A lab: make TARGET STACK=<lab>; without STACK it is dev, the simulated lab

up: lab ## make the lab what Pulumi.<lab>.yaml says; print where to look
	@$(PULUMI) up --stack $(STACK) --yes --skip-preview --suppress-outputs --suppress-progress
	@$(PULUMI) stack output --stack $(STACK) --json | $(PYTHON) -m toolchain.where $(STACK)

preview: ready ## show what `make up` would change; reaches no phone
	@$(PULUMI) preview --stack $(STACK) --suppress-progress

refresh: ready ## read the phones and show what changed behind Pulumi's back
	@$(PULUMI) refresh --stack $(STACK) --yes --skip-preview --suppress-outputs --suppress-progress

down: ## take away what `make up` brought; the simulated phones too
	@if [ -z "$$PULUMI_BACKEND_URL" ] && [ ! -d .cloudlet/state ]; then echo "There is nothing to take away"; else \
		$(PULUMI) destroy --stack $(STACK) --yes --skip-preview --suppress-progress && \
		if [ "$(STACK)" = dev ]; then $(PYTHON) -m lab down; fi && \
		echo 'No more is to be done: Pulumi.$(STACK).yaml is left, and `make up$(if $(filter-out dev,$(STACK)), STACK=$(STACK))` makes the lab again.'; fi

clean: ## take the dev lab away, and all that was made in this checkout
	@others=$$(ls .cloudlet/state/.pulumi/stacks/cloudlet 2>/dev/null | grep '\.json$$' | grep -vx dev.json); \
	if [ -n "$$others" ]; then \
		echo "clean: .cloudlet/state is all that is known of other labs ($$others);" \
			"destroy them and 'pulumi stack rm' them first" >&2; exit 1; fi
	@$(MAKE) -s down STACK=dev
	@rm -rf .venv .cloudlet .pytest_cache .ruff_cache

new-lab: ready ## write Pulumi.NAME.yaml for real phones: asks a few questions
	@$(PYTHON) -m operations new-lab "$(NAME)" \
		$(if $(PHONES),--phones "$$PHONES") $(if $(ADDRESS),--address "$$ADDRESS") \
		$(if $(GATEWAY),--gateway "$$GATEWAY") $(if $(SSID),--ssid "$$SSID") \
		$(if $(FORGET),--forget "$$FORGET") $(if $(PHONE_USER),--user "$$PHONE_USER") \
		$(if $(KEY_FILE),--key-file "$$KEY_FILE")

##@ What goes on in it

status: ready ## every phone as it is now; HTML=FILE makes a page of it, too
	@$(OPERATIONS) status $(if $(HTML),--html "$(HTML)")

logs: ready ## follow the log of SERVICE=..., such as go_coffee_web
	@exec $(OPERATIONS) logs "$(SERVICE)"

shell: ready ## a shell on PHONE=..., or the command CMD=... there
	@$(OPERATIONS) shell "$(PHONE)" $(if $(CMD),-- sh -c '$(subst ','\'',$(value CMD))')

env: ## shell lines for using pulumi by hand: eval "$(make -s env)"
	@$(PYTHON) -m toolchain env --stack $(STACK)

##@ Phones, and bad days

adopt: ready ## first contact with PHONE=... over its cable (USB=172.16.42.1)
	@$(OPERATIONS) adopt "$(PHONE)" $(if $(USB),--cable "$(USB)") $(if $(YES),--yes)

drill-reboot: ready ## reboot PHONE=...; it must be back in the swarm in 60 s
	@$(OPERATIONS) drill-reboot "$(PHONE)"

lock: ready ## write down which build each image's tag means; asks no phone
	@$(OPERATIONS) lock

recover: ready ## majority lost for good: let manager PHONE=... go on alone
	@$(OPERATIONS) recover "$(PHONE)" $(if $(YES),--yes)

backup: ready ## swarm, state and the lab's file in one encrypted FILE=...
	@$(OPERATIONS) backup $(if $(FILE),--file "$(FILE)") $(if $(YES),--yes)

restore: ready ## bring the lab back from FILE=..., onto replaced phones too
	@$(OPERATIONS) restore "$(FILE)" $(if $(YES),--yes)

ready-load: ready
	@cmp -s load_test/requirements.txt .venv/installed-load-test || { \
		echo "Installing locust and matplotlib into .venv" && \
		$(PYTHON) -m pip install --quiet --no-input --disable-pip-version-check \
			--cache-dir .cloudlet/cache/pip --prefer-binary --require-hashes \
			--requirement load_test/requirements.txt && \
		cp load_test/requirements.txt .venv/installed-load-test; }

##@ The shop under load

load: ready-load ## the shop under load, orders counted (USERS=300 TIME=180)
	@$(LOAD_TEST) run $(if $(USERS),--users "$(USERS)") $(if $(CLIMB),--climb "$(CLIMB)") \
		$(if $(TIME),--time "$(TIME)") $(if $(TAGS),--tags "$(TAGS)")

load-ui: ready-load ## the same from locust's web page, by hand
	@$(LOAD_TEST) ui

drill: ready-load ## under load, phones stop and an image changes: what is lost?
	@$(LOAD_TEST) drill $(if $(USERS),--users "$(USERS)") $(if $(TAGS),--tags "$(TAGS)") \
		$(if $(filter dev,$(STACK)),--lab dev)

# cloudlet itself

ready: #@ install what is missing: Python packages and Pulumi, inside this checkout
	@sh toolchain/bootstrap.sh

lab: ready #@ start the simulated phones (dev only; real labs have real ones)
	@if [ "$(STACK)" = dev ]; then $(PYTHON) -m lab up; fi

bench: ready-load #@ bare phones to a cluster and back, 3 times for 4, 8, 16 phones; Ansible beside it
	@$(PYTHON) -m bench run $(if $(PHONES),--phones "$(PHONES)") $(if $(RUNS),--runs "$(RUNS)")
	@$(PYTHON) -m bench preview $(if $(RUNS),--runs "$(RUNS)")
	@$(PYTHON) -m bench ansible $(if $(PHONES),--phones "$(PHONES)") $(if $(RUNS),--runs "$(RUNS)")
	@$(PYTHON) -m bench report

lint: ready-load #@ formatting, lint, types and the shell scripts
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright -p .
	@PATH="$$PWD/.venv/bin:$$PATH" shellcheck components/scripts/*.sh load_test/*.sh toolchain/*.sh \
		$$(grep -rlE '^#!/(bin/sh|sbin/openrc-run)' lab/phone/rootfs)

test: lint test-unit test-lab #@ everything that CI runs; under 25 minutes on a fresh machine

test-unit: ready-load #@ pure modules and components under mocks; seconds
	@$(UNIT_TESTS) -m "not slow"

test-lab: ready-load #@ the real Pulumi engine against simulated phones
	@$(PYTHON) -m pytest -v -m "not slow" tests/lab

test-long: ready-load #@ all tests: long faults in the lab, long searches for a file that breaks us
	@CLOUDLET_FUZZ=$${CLOUDLET_FUZZ:-1000} $(UNIT_TESTS)
	@$(PYTHON) -m pytest -v tests/lab
