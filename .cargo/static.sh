#!/bin/sh
# static.sh TARGET: builds the static program for one of the targets below, small, and with no path of this machine in
# it. `make static` runs it, from the project's folder. What is missing on this machine is said in one line.
#
# The C compiler (for ring) is the first that is there: clang, which does for every target, one of the target's own,
# or this machine's where it is of the target's kind. The linker is rustc's own, else LLVM's, else, where C is compiled
# by this machine's compiler, that one. A variable that says otherwise comes first: CC_x86_64_unknown_linux_musl=tcc.
set -eu

fail() {
	echo "static: $*" >&2
	exit 1
}

target=${1-}
case $target in
x86_64-unknown-linux-musl) machine=x86_64 abi=linux-musl ;;
aarch64-unknown-linux-musl) machine=aarch64 abi=linux-musl ;;
armv7-unknown-linux-musleabihf) machine=arm abi=linux-musleabihf ;;
i686-unknown-linux-musl) machine=i686 abi=linux-musl ;;
riscv64gc-unknown-linux-musl) machine=riscv64 abi=linux-musl ;;
*) fail "no target is called '$target' here; but x86_64-unknown-linux-musl, aarch64-unknown-linux-musl, armv7-unknown-linux-musleabihf, i686-unknown-linux-musl and riscv64gc-unknown-linux-musl are" ;;
esac
rustc=${RUSTC:-rustc}
there() { command -v "$1" >/dev/null; }

there "$rustc" || fail "there is no $rustc: install Rust from https://rustup.rs"
libraries=$("$rustc" --print sysroot)/lib/rustlib
ls "$libraries/$target"/lib/libstd-*.rlib >/dev/null 2>&1 ||
	fail "the standard library for $target is missing: run \`rustup target add $target\`"

variable=CC_$(echo "$target" | tr - _)
own=$({ cc -dumpmachine 2>/dev/null || echo none; } | sed 's/-.*//')
of_this_machine=
[ "$own" != "$machine" ] || of_this_machine="musl-gcc cc"
if eval "[ -z \"\${$variable-}\" ]"; then
	for compiler in clang "$machine-$abi-gcc" $of_this_machine "$machine-$(echo "$abi" | sed s/musl/gnu/)-gcc"; do
		! there "$compiler" || break
	done
	there "$compiler" || fail "a C compiler for $target is missing: install clang"
	export "$variable=$compiler"
fi

# rustc finds its own linker in this folder, which is not on PATH.
host=$("$rustc" -vV | sed -n 's/^host: //p')
linker=
for name in rust-lld ld.lld; do
	if [ -x "$libraries/$host/bin/$name" ] || there "$name"; then linker=$name && break; fi
done
if [ "$linker" ]; then
	set -- --config .cargo/small.toml --config "target.$target.linker='$linker'"
elif [ "$of_this_machine" ]; then
	echo "static: neither rustc's linker nor lld is there: cc links, and the program becomes larger" >&2
	set -- --config "target.$target.linker='cc'" \
		--config "target.$target.rustflags=['-Clink-arg=-T.cargo/no-unwind.ld']"
else
	fail "a linker for $target is missing: install lld"
fi

# Where the sources lie must not be in the program: the same source gives the same bytes in any folder.
"${CARGO:-cargo}" fetch --locked --quiet --target "$target"
remapped="'--remap-path-prefix=$PWD=/regq'"
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
	remapped="$remapped, '--remap-path-prefix=$folder=/crates'"
done
"${CARGO:-cargo}" build --release --locked --target "$target" "$@" \
	--config "target.'cfg(target_env = \"musl\")'.rustflags=[$remapped]"
program=${CARGO_TARGET_DIR:-target}/$target/release/regq
echo "$program: $(wc -c <"$program") bytes"
