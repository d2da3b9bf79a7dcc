#!/bin/sh
# size.sh BINARY: how many bytes of a binary with symbols come from which crate, and its size once stripped.
# Needs nm, strip, sort and awk (binutils, POSIX). Code that is generic stands where it was defined, so `core`
# holds much that others asked for; what has no Rust name (assembler, C) is `other`.
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
