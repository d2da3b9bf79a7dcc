# What people do here. `make` alone prints this.

CARGO  ?= cargo
PREFIX ?= /usr/local
# Where cargo puts what it builds.
FOLDER := $(or $(CARGO_TARGET_DIR),target)
# The machine that `make static` builds for, and all that it can build for.
TARGET ?= x86_64-unknown-linux-musl
TARGETS ?= x86_64-unknown-linux-musl aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf \
	i686-unknown-linux-musl riscv64gc-unknown-linux-musl

.PHONY: help build demo test check e2e bench size install uninstall shells static static-all static-test dist dist-test
help: ## print this
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

build: ## the program for this machine: release/regq in cargo's target folder
	$(CARGO) build --release --locked

demo: ## build, start the tests' registry on loopback, ask it for a digest, show the requests
	$(CARGO) build --quiet --locked
	$(CARGO) run --quiet --locked --example demo -- '$(FOLDER)/debug/regq'

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

e2e: ## against real registries and clients, on PATH or under PEERS=DIR; after make static
	$(CARGO) test --locked --release --test e2e

bench: ## one digest beside crane, regctl and skopeo: wall, CPU, memory
	$(CARGO) test --locked --release --test e2e -- bench

size: ## bytes of the release binary, by crate
	CARGO_PROFILE_RELEASE_STRIP=none $(CARGO) build --release --locked --target-dir '$(FOLDER)/size'
	sh tests/size.sh '$(FOLDER)/size/release/regq'

# What regq generates for others, KIND:FILE with FILE below share/.
SHARED := man:man/man1/regq.1 bash:bash-completion/completions/regq \
	zsh:zsh/site-functions/_regq fish:fish/vendor_completions.d/regq.fish

install: build ## program, man page, completions for bash, zsh and fish, to $(DESTDIR)$(PREFIX)
	set -e; for it in $(SHARED); do \
		'$(FOLDER)/release/regq' --generate "$${it%%:*}" >'$(FOLDER)/release/generated'; \
		install -D -m 644 '$(FOLDER)/release/generated' '$(DESTDIR)$(PREFIX)/share/'"$${it#*:}"; \
	done
	install -D -m 755 '$(FOLDER)/release/regq' '$(DESTDIR)$(PREFIX)/bin/regq'

uninstall: ## remove what install puts there
	for it in $(SHARED); do rm -f '$(DESTDIR)$(PREFIX)/share/'"$${it#*:}"; done
	rm -f '$(DESTDIR)$(PREFIX)/bin/regq'

shells: ## install below cargo's target folder, try man page and completions in real shells, uninstall
	rm -rf '$(FOLDER)/shells'
	$(MAKE) install DESTDIR='$(abspath $(FOLDER))/shells' PREFIX=/usr
	sh tests/shells.sh '$(abspath $(FOLDER))/shells/usr'
	$(MAKE) uninstall DESTDIR='$(abspath $(FOLDER))/shells' PREFIX=/usr
	test -z "$$(find '$(FOLDER)/shells' -type f)"

static: ## the program that runs on nothing, for TARGET=x86_64-unknown-linux-musl or another one
	sh .cargo/static.sh '$(TARGET)'

static-all: ## the same for all of TARGETS, which are five
	set -e; for target in $(TARGETS); do sh .cargo/static.sh $$target; done

static-test: static-all ## what they are made of, and that they run in an empty root: as root, with Debian's qemu-user
	$(CARGO) test --locked --release --test e2e -- static \
		$(foreach target,$(TARGETS),'$(target)=$(abspath $(FOLDER))/$(target)/release/regq')

dist: static-all ## archives of all of TARGETS with their sums, in dist/ of cargo's target folder
	sh .cargo/dist.sh '$(FOLDER)/dist' $(TARGETS)

dist-test: ## that an archive is the same from any folder, and that cargo packages and installs without a network
	sh tests/dist.sh
