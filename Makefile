# `make` builds regq; `make help` lists the other targets.

CARGO  ?= cargo
PREFIX ?= /usr/local
# Cargo's target directory.
FOLDER := $(or $(CARGO_TARGET_DIR),target)
# The target of `make static`, and the targets of `make static-all` and `make dist`.
TARGET ?= x86_64-unknown-linux-musl
TARGETS ?= x86_64-unknown-linux-musl aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf \
	i686-unknown-linux-musl riscv64gc-unknown-linux-musl

.PHONY: build help demo test check e2e bench size install uninstall shells static static-all static-test dist dist-test
build: ## build release/regq in cargo's target directory (default)
	$(CARGO) build --release --locked
	@echo 'Built $(FOLDER)/release/regq. Next: make demo, or make install'

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## run regq against a registry on localhost: a digest, then a refusal and its explanation
	@echo 'Building regq and the registry for the demo. The first time takes about a minute.'
	$(CARGO) build --locked --bin regq --example demo
	@'$(FOLDER)/debug/examples/demo' '$(FOLDER)/debug/regq'

test: ## run all tests that need no other programs
	$(CARGO) test --locked

check: ## run what must pass before a commit: format, lints, tests, documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test e2e -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features -- -D warnings
	$(CARGO) test --locked --quiet
	$(CARGO) test --locked --quiet --no-default-features
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

e2e: ## test against real registries and clients, on PATH or in PEERS=DIR; needs make static
	$(CARGO) test --locked --release --test e2e

bench: ## measure time, CPU and memory of one digest with regq, crane, regctl and skopeo
	$(CARGO) test --locked --release --test e2e -- bench

size: ## print the size of the release program by crate
	CARGO_PROFILE_RELEASE_STRIP=none $(CARGO) build --release --locked --target-dir '$(FOLDER)/size'
	sh tests/size.sh '$(FOLDER)/size/release/regq'

# What `regq --generate KIND` prints, as KIND:FILE with FILE under share/.
SHARED := man:man/man1/regq.1 bash:bash-completion/completions/regq \
	zsh:zsh/site-functions/_regq fish:fish/vendor_completions.d/regq.fish

# Does not build, so that root needs no cargo.
install: ## install program, man page and completions to $(DESTDIR)$(PREFIX); after make
	@test -x '$(FOLDER)/release/regq' || { echo '$(FOLDER)/release/regq is missing: run make first' >&2; exit 1; }
	@set -e; generated=$$(mktemp); trap 'rm -f "$$generated"' EXIT; for it in $(SHARED); do \
		'$(FOLDER)/release/regq' --generate "$${it%%:*}" >"$$generated"; \
		install -D -m 644 "$$generated" '$(DESTDIR)$(PREFIX)/share/'"$${it#*:}"; \
	done
	@install -D -m 755 '$(FOLDER)/release/regq' '$(DESTDIR)$(PREFIX)/bin/regq'
	@echo 'Installed $(DESTDIR)$(PREFIX)/bin/regq; man page and completions are under $(DESTDIR)$(PREFIX)/share.'
	@if [ -z '$(DESTDIR)' ]; then \
		case ":$$PATH:" in *':$(PREFIX)/bin:'*) ;; *) echo 'Add $(PREFIX)/bin to PATH.' ;; esac; \
		case '$(PREFIX)' in /usr | /usr/local | "$$HOME/.local") ;; \
		*) echo 'docs/manual.md describes how shells find completions there.' ;; esac; \
	fi

uninstall: ## remove what install installed
	for it in $(SHARED); do rm -f '$(DESTDIR)$(PREFIX)/share/'"$${it#*:}"; done
	rm -f '$(DESTDIR)$(PREFIX)/bin/regq'

shells: build ## install below cargo's target directory, test man page and completions in real shells, uninstall
	rm -rf '$(FOLDER)/shells'
	$(MAKE) install DESTDIR='$(abspath $(FOLDER))/shells' PREFIX=/usr
	sh tests/shells.sh '$(abspath $(FOLDER))/shells/usr'
	$(MAKE) uninstall DESTDIR='$(abspath $(FOLDER))/shells' PREFIX=/usr
	test -z "$$(find '$(FOLDER)/shells' -type f)"

static: ## build the static program for TARGET=x86_64-unknown-linux-musl
	sh .cargo/static.sh '$(TARGET)'

static-all: ## build the static programs for all five TARGETS
	set -e; for target in $(TARGETS); do sh .cargo/static.sh $$target; done

static-test: static-all ## check the static programs and run them in an empty root; needs root and qemu-user
	$(CARGO) test --locked --release --test e2e -- static \
		$(foreach target,$(TARGETS),'$(target)=$(abspath $(FOLDER))/$(target)/release/regq')

dist: static-all ## make archives of the static programs with checksums, in dist/ of cargo's target directory
	sh .cargo/dist.sh '$(FOLDER)/dist' $(TARGETS)

dist-test: ## check that archives are reproducible, and that cargo packages and installs without a network
	sh tests/dist.sh
