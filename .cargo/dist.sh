#!/bin/sh
# dist.sh FOLDER TARGET...: makes an archive of each target's static program, with documentation and completions, and
# SHA256SUMS, in FOLDER. `make dist` runs it in the repository's folder after the builds. The archives are reproducible: with
# the same source, Rust and clang they have the same bytes. Their time is that of the last commit, or
# SOURCE_DATE_EPOCH (https://reproducible-builds.org/docs/source-date-epoch/).
set -eu
export LC_ALL=C TZ=UTC
folder=$1
shift
built=${CARGO_TARGET_DIR:-target}
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} || {
	echo "dist: cannot tell the time of the source: no commit and no SOURCE_DATE_EPOCH" >&2
	exit 1
}
# The man page and the completions come from the first program that runs on this machine; all print the same.
for target; do
	generator=$built/$target/release/regq
	! "$generator" --version >/dev/null 2>&1 || break
done
version=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
rm -rf "$folder"
mkdir -p "$folder"
for target; do
	name=regq-$version-$target
	inside=$folder/$name
	install -D -m 755 "$built/$target/release/regq" "$inside/regq"
	for file in README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE-APACHE LICENSE-MIT docs/*.md; do
		install -D -m 644 "$file" "$inside/$file"
	done
	for file in man:regq.1 bash:completions/regq.bash zsh:completions/_regq fish:completions/regq.fish; do
		"$generator" --generate "${file%%:*}" >"$folder/generated"
		install -D -m 644 "$folder/generated" "$inside/${file#*:}"
	done
	# ustar, since pax headers would contain access times.
	(cd "$folder" && find "$name" -type d -exec chmod 755 {} + &&
		tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time" "$name") |
		gzip -9 --no-name >"$inside.tar.gz"
	rm -r "$inside" "$folder/generated"
done
(cd "$folder" && sha256sum -- *.tar.gz >SHA256SUMS && cat SHA256SUMS)
