# What people do here. `make` alone prints this.

CARGO  ?= cargo
PREFIX ?= /usr/local
# Where cargo puts what it builds.
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help build demo test check e2e bench size install uninstall shells
help: ## print this
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

build: ## the program for this machine: release/regq in cargo's target folder
	$(CARGO) build --release --locked

demo: ## build, start the tests' registry on loopback, ask it for a digest, show the requests
	$(CARGO) build --quiet --locked
	$(CARGO) run --quiet --locked --example demo -- '$(TARGET)/debug/regq'

test: ## all tests but those against other people's programs
	$(CARGO) test --locked

check: ## what must hold before a commit: format, lints, tests, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test e2e -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features -- -D warnings
	$(CARGO) test --locked --quiet
	$(CARGO) test --locked --quiet --no-default-features
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

e2e: ## against real registries and clients, on PATH or under PEERS=DIR
	$(CARGO) test --locked --release --test e2e

bench: ## one digest beside crane, regctl and skopeo: wall, CPU, memory
	$(CARGO) test --locked --release --test e2e -- bench

size: ## bytes of the release binary, by crate
	CARGO_PROFILE_RELEASE_STRIP=none $(CARGO) build --release --locked --target-dir '$(TARGET)/size'
	sh tests/size.sh '$(TARGET)/size/release/regq'

# What regq generates for others, KIND:FILE with FILE below share/.
SHARED := man:man/man1/regq.1 bash:bash-completion/completions/regq \
	zsh:zsh/site-functions/_regq fish:fish/vendor_completions.d/regq.fish

install: build ## program, man page, completions for bash, zsh and fish, to $(DESTDIR)$(PREFIX)
	set -e; for it in $(SHARED); do \
		'$(TARGET)/release/regq' --generate "$${it%%:*}" >'$(TARGET)/release/generated'; \
		install -D -m 644 '$(TARGET)/release/generated' '$(DESTDIR)$(PREFIX)/share/'"$${it#*:}"; \
	done
	install -D -m 755 '$(TARGET)/release/regq' '$(DESTDIR)$(PREFIX)/bin/regq'

uninstall: ## remove what install puts there
	for it in $(SHARED); do rm -f '$(DESTDIR)$(PREFIX)/share/'"$${it#*:}"; done
	rm -f '$(DESTDIR)$(PREFIX)/bin/regq'

shells: ## install below cargo's target folder, try man page and completions in real shells, uninstall
	rm -rf '$(TARGET)/shells'
	$(MAKE) install DESTDIR='$(abspath $(TARGET))/shells' PREFIX=/usr
	sh tests/shells.sh '$(abspath $(TARGET))/shells/usr'
	$(MAKE) uninstall DESTDIR='$(abspath $(TARGET))/shells' PREFIX=/usr
	test -z "$$(find '$(TARGET)/shells' -type f)"
