#!/bin/sh
# size.sh BINARY: prints the bytes per crate of a binary with symbols, and its size when stripped.
# Needs nm, strip, sort and awk (binutils, POSIX). Generic code counts for the crate that defines it, so `core` includes
# code that other crates instantiated. Symbols without a Rust name (assembler, C) are `other`.
set -eu
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$1"
nm --demangle --size-sort --print-size --radix=d "$1" | awk '
	$3 ~ /^[tTrRdDbBwWV]$/ {
		name = $4
		for (i = 5; i <= NF; i++) name = name " " $i
		crate = "other"
		if (match(name, /[a-z_][a-z0-9_]*::/)) crate = substr(name, RSTART, RLENGTH - 2)
		bytes[crate] += $2
	}
	END { for (crate in bytes) printf "%9d  %s\n", bytes[crate], crate }
' | sort -rn | head -n 25
printf '%9d  the stripped binary\n' "$(wc -c <"$stripped")"
