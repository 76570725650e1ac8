# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# The front door. What a session does stands in noxfile.py; everything that is built lands in build/.

BUILD := $(CURDIR)/build
export PATH := $(BUILD)/venv/dev/bin:$(BUILD)/bin:$(PATH)
# A newer Ansible than was tested is not taken by surprise.
CORE := ansible-core>=2.16,<2.22
VENV = $(BUILD)/venv/$(1)/.ready

# How long each target is fuzzed, and which; all of them where none is named. KEEP=1 brings the counts into the guide.
SECONDS := 30
TARGETS :=
KEEP :=

# All sessions with a tag, then what came of them.
run = rm -rf $(BUILD)/junit $(BUILD)/report; python tests/tools/side_by_side.py $(BUILD) $(1); \
    status=$$?; python tests/tools/summary.py $(BUILD); exit $$status

.PHONY: help demo generate check test cores session bench bench-scale bench-peers slices record fuzz clean
help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /'

demo: $(call VENV,demo) ## Show the facts of an emulated Azure VM in a playbook
	tests/tools/copy-tree $(BUILD)/tree
	ANSIBLE_COLLECTIONS_PATH=$(BUILD)/tree $(BUILD)/venv/demo/bin/ansible-playbook --inventory localhost, imds.azure.demo

generate: $(call VENV,dev) ## Write the shared tables into C#, PowerShell and the documentation
	tests/tools/copy-tree $(BUILD)/tree
	PYTHONPATH=$(BUILD)/tree python -m ansible_collections.imds.azure.tests.tools.generate $(CURDIR)

check: $(call VENV,dev) ## The fast part of the tests
	$(call run,check)

test: $(call VENV,dev) ## All tests
	$(call run,test)

cores: $(call VENV,dev) ## The tests on the versions of ansible-core between the oldest and the newest
	$(call run,cores)

session: $(call VENV,dev) ## One session of noxfile.py: make session SESSION=lab
	rm -rf $(BUILD)/junit $(BUILD)/report; mkdir -p $(BUILD)/report; \
	    nox --session '$(SESSION)' --report $(BUILD)/report/session.json; \
	    status=$$?; python tests/tools/summary.py $(BUILD); exit $$status

bench: $(call VENV,dev) ## The benchmark; writes build/bench.json
	nox --session bench

fuzz: $(call VENV,dev) ## Fuzz every reader of bytes from outside: make fuzz SECONDS=600 TARGETS=signed_data
	nox --session fuzz -- --seconds $(SECONDS) $(TARGETS)
	$(if $(KEEP),cp $(BUILD)/fuzz/counts.json tests/fuzz/counts.json && $(MAKE) generate)

bench-scale: $(call VENV,dev) ## 2,000 emulated VMs in one play, with a profile; writes build/scale.json
	nox --session bench-scale -- --profile

slices: $(call VENV,dev) ## 2,000 emulated VMs in slices by ansible-runner, with Redis; writes build/slices.json
	nox --session slices

# Figures for the documentation should come from a quiet machine, so recording them is a step of its own.
record: $(call VENV,dev) ## Take what bench, bench-scale and slices have measured into the documentation
	for name in bench scale slices; do ! [ -e $(BUILD)/$$name.json ] || cp $(BUILD)/$$name.json tests/bench/figures; done
	$(MAKE) generate

bench-peers: $(call VENV,dev) ## Other tools that read cloud metadata beside ours; writes the guide's tables
	nox --session bench-peers

clean: ## Remove what was built
	rm -rf $(BUILD)

$(BUILD)/bin/.ready: tests/tools/link-pythons
	tests/tools/link-pythons $(BUILD)/bin
	@touch $@

# Each on the newest Python that Ansible's controller runs on.
define make-venv
	@python=$$(cd $(BUILD)/bin && ls -v | grep -E '^python3\.1[1-3]$$' | tail -n 1); \
	    test -n "$$python" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found" >&2; exit 1; }; \
	    set -x; $$python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(@D)/bin/python -m pip install --quiet $(1)
	@touch $@
endef

$(call VENV,demo): $(BUILD)/bin/.ready
	$(call make-venv,'$(CORE)')

$(call VENV,dev): $(BUILD)/bin/.ready pyproject.toml
	$(call make-venv,--group dev)
