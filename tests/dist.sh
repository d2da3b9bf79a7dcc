#!/bin/sh
# `make dist-test`: checks the release archives and the cargo package. An archive has the same bytes if it is built in another
# folder, with another home and umask, and contains the expected files. `cargo package` prints no warning, the package
# compiles with its tests, and installs without a network.
set -eu
target=x86_64-unknown-linux-musl
folder=$PWD
mkdir -p "${CARGO_TARGET_DIR:-target}"
built=$(realpath "${CARGO_TARGET_DIR:-target}")
cargo=${CARGO:-cargo}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAILED  $*"
	exit 1
}

{ sh .cargo/static.sh "$target" && sh .cargo/dist.sh "$work/dist" "$target"; } >/dev/null || fail "the build"
archive=$(basename "$work"/dist/regq-*-$target.tar.gz)
(cd "$work/dist" && sha256sum --check --quiet SHA256SUMS && [ "$(wc -l <SHA256SUMS)" = 1 ]) || fail "the sums"
echo "ok      SHA256SUMS lists the archive"

# The files that git knows, without .git, and cargo's crates under another path.
mkdir -p "$work/another place/regq" "$work/home"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from - |
	tar --extract --directory "$work/another place/regq"
for it in registry config.toml; do
	[ ! -e "${CARGO_HOME:-$HOME/.cargo}/$it" ] || ln -s "${CARGO_HOME:-$HOME/.cargo}/$it" "$work/home/"
done
(
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) CARGO_HOME=$work/home
	export SOURCE_DATE_EPOCH CARGO_HOME
	unset CARGO_TARGET_DIR
	umask 077
	cd "$work/another place/regq"
	make --silent dist TARGETS="$target" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
) || fail "the other build"
other="$work/another place/regq/target/dist/$archive"
cmp "$work/dist/$archive" "$other" || fail "the archives of two builds differ: $(tar -tvf "$other")"
echo "ok      builds in two folders are identical"

name=${archive%.tar.gz}
for file in CHANGELOG.md CONTRIBUTING.md LICENSE-APACHE LICENSE-MIT README.md SECURITY.md completions/_regq \
	completions/regq.bash completions/regq.fish docs/*.md regq regq.1; do
	echo "$name/$file"
done | LC_ALL=C sort >"$work/expected"
tar --list --file "$work/dist/$archive" | grep -v '/$' | LC_ALL=C sort >"$work/found"
diff "$work/expected" "$work/found" || fail "the files in the archive"
tar --extract --directory "$work" --file "$work/dist/$archive"
[ "$(stat -c %a "$work/$name/regq" "$work/$name/README.md" "$work/$name" | tr '\n' ' ')" = "755 644 755 " ] ||
	fail "modes: $(ls -l "$work/$name")"
"$work/$name/regq" --version >/dev/null || fail "the program in the archive does not run"
[ -z "$(find "$work/$name" -type f -empty)" ] || fail "empty files: $(find "$work/$name" -type f -empty)"
echo "ok      the archive has the expected files"

! grep -aqF -e "$folder/" -e "${CARGO_HOME:-$HOME/.cargo}/" "$work/$name/regq" || fail "the program contains a path of this machine"
echo "ok      the program contains no path of this machine"

export CARGO_NET_OFFLINE=true
"$cargo" package --locked --allow-dirty --no-verify --target-dir "$work/package" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
! grep -i warning "$work/log" || fail "cargo package prints a warning"
tar --extract --directory "$work" --file "$work"/package/package/regq-*.crate
packaged=$(echo "$work"/regq-*/Cargo.toml.orig)
(cd "$(dirname "$packaged")" && "$cargo" test --quiet --locked --no-run --target-dir "$built/packaged") >"$work/log" 2>&1 ||
	fail "compiling the package: $(cat "$work/log")"
echo "ok      cargo package: no warning, and the package compiles with its tests"

"$cargo" install --quiet --locked --path . --root "$work/installed" --target-dir "$built" >"$work/log" 2>&1 ||
	fail "cargo install: $(cat "$work/log")"
"$work/installed/bin/regq" --version >/dev/null || fail "the installed program does not run"
echo "ok      cargo install --path . without a network"
