#!/bin/sh
# static.sh TARGET: builds the small static program for a target, without paths of the build machine in it.
# `make static` runs it in the repository's folder. It reports a missing tool by name.
#
# The C compiler (for ring) is the first of: clang, which works for all targets; a cross compiler for the target; and the
# machine's own, if the architectures match. The linker is rustc's, otherwise LLVM's, otherwise the machine's own compiler.
# Variables such as CC_x86_64_unknown_linux_musl=tcc take precedence.
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
*) fail "unknown target '$target'; supported: x86_64-unknown-linux-musl, aarch64-unknown-linux-musl, armv7-unknown-linux-musleabihf, i686-unknown-linux-musl, riscv64gc-unknown-linux-musl" ;;
esac
rustc=${RUSTC:-rustc}
has() { command -v "$1" >/dev/null; }

has "$rustc" || fail "$rustc is missing: install Rust from https://rustup.rs"
libraries=$("$rustc" --print sysroot)/lib/rustlib
ls "$libraries/$target"/lib/libstd-*.rlib >/dev/null 2>&1 ||
	fail "the standard library for $target is missing: run \`rustup target add $target\`"

variable=CC_$(echo "$target" | tr - _)
machine_here=$({ cc -dumpmachine 2>/dev/null || echo none; } | sed 's/-.*//')
native=
[ "$machine_here" != "$machine" ] || native="musl-gcc cc"
if eval "[ -z \"\${$variable-}\" ]"; then
	for compiler in clang "$machine-$abi-gcc" $native "$machine-$(echo "$abi" | sed s/musl/gnu/)-gcc"; do
		! has "$compiler" || break
	done
	has "$compiler" || fail "a C compiler for $target is missing: install clang"
	export "$variable=$compiler"
fi

# rustc's own linker is not on PATH, but rustc finds it.
host=$("$rustc" -vV | sed -n 's/^host: //p')
linker=
for name in rust-lld ld.lld; do
	if [ -x "$libraries/$host/bin/$name" ] || has "$name"; then linker=$name && break; fi
done
if [ "$linker" ]; then
	set -- --config .cargo/small.toml --config "target.$target.linker='$linker'"
elif [ "$native" ]; then
	echo "static: rustc's linker and lld are missing: linking with cc, which makes the program larger" >&2
	set -- --config "target.$target.linker='cc'" \
		--config "target.$target.rustflags=['-Clink-arg=-T.cargo/no-unwind.ld']"
else
	fail "a linker for $target is missing: install lld"
fi

# Keeps the paths of sources out of the program, so that builds in different folders are identical.
"${CARGO:-cargo}" fetch --locked --quiet --target "$target"
remapped="'--remap-path-prefix=$PWD=/regq'"
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
	remapped="$remapped, '--remap-path-prefix=$folder=/crates'"
done
"${CARGO:-cargo}" build --release --locked --target "$target" "$@" \
	--config "target.'cfg(target_env = \"musl\")'.rustflags=[$remapped]"
program=${CARGO_TARGET_DIR:-target}/$target/release/regq
echo "$program: $(wc -c <"$program") bytes"
