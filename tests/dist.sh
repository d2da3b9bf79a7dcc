#!/bin/sh
# Whether what is handed out is what it should be, as `make dist-test` asks: an archive has the same bytes from another
# folder, home and mask; it holds what belongs to it and nothing else; cargo packages this without a warning, what it
# packages compiles with its tests, and it installs without a network.
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
echo "ok      SHA256SUMS has the archive's sum"

# Files as git knows them, without git, and the crates by another path.
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
cmp "$work/dist/$archive" "$other" || fail "two builds, two archives: $(tar -tvf "$other")"
echo "ok      two builds in two folders give equal bytes"

name=${archive%.tar.gz}
for file in CHANGELOG.md LICENSE-APACHE LICENSE-MIT README.md completions/_regq completions/regq.bash \
	completions/regq.fish docs/findings.md regq regq.1; do
	echo "$name/$file"
done | LC_ALL=C sort >"$work/due"
tar --list --file "$work/dist/$archive" | grep -v '/$' | LC_ALL=C sort >"$work/found"
diff "$work/due" "$work/found" || fail "what the archive holds"
tar --extract --directory "$work" --file "$work/dist/$archive"
[ "$(stat -c %a "$work/$name/regq" "$work/$name/README.md" "$work/$name" | tr '\n' ' ')" = "755 644 755 " ] ||
	fail "modes: $(ls -l "$work/$name")"
"$work/$name/regq" --version >/dev/null || fail "it does not run"
[ -z "$(find "$work/$name" -type f -empty)" ] || fail "empty: $(find "$work/$name" -type f -empty)"
echo "ok      the archive holds what belongs to it"

# No path of the machine that built it.
! grep -aqF -e "$folder/" -e "${CARGO_HOME:-$HOME/.cargo}/" "$work/$name/regq" || fail "it knows where it was built"
echo "ok      the program does not know where it was built"

export CARGO_NET_OFFLINE=true
"$cargo" package --locked --allow-dirty --no-verify --target-dir "$work/package" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
! grep -i warning "$work/log" || fail "cargo package warns"
tar --extract --directory "$work" --file "$work"/package/package/regq-*.crate
packaged=$(echo "$work"/regq-*/Cargo.toml.orig)
(cd "$(dirname "$packaged")" && "$cargo" test --quiet --locked --no-run --target-dir "$built/packaged") >"$work/log" 2>&1 ||
	fail "what is packaged: $(cat "$work/log")"
echo "ok      cargo package: without a warning, and it compiles with its tests"

"$cargo" install --quiet --locked --path . --root "$work/installed" --target-dir "$built" >"$work/log" 2>&1 ||
	fail "cargo install: $(cat "$work/log")"
"$work/installed/bin/regq" --version >/dev/null || fail "what is installed does not run"
echo "ok      cargo install --path . without a network"
