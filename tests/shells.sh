#!/bin/sh
# shells.sh PREFIX: tests the completions and the man page that `make install` put under PREFIX.
#
# bash, zsh and fish load their completions as they do after an installation, and complete the same command lines. The
# expected candidates come from `regq -h` and from the files in the working folder. groff and mandoc format the man page
# without warnings. A missing shell or program is a failure.
set -eu
prefix=$1
regq=$prefix/bin/regq

missing=
for program in bash zsh fish man mandoc col; do
	command -v "$program" >/dev/null || missing="$missing $program"
done
[ -r /usr/share/bash-completion/bash_completion ] || missing="$missing bash-completion"
if [ -n "$missing" ]; then
	echo "shells.sh: missing:$missing" >&2
	echo 'on Debian: apt-get install bash bash-completion zsh fish man-db mandoc bsdextrautils' >&2
	exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/folder" "$work/home"
cd "$work/folder"
echo >alpha.json
echo >'b c.json'
# An environment without the user's settings.
clean_env="env -i PATH=$prefix/bin:$PATH HOME=$work/home LC_ALL=C.UTF-8 TERM=dumb XDG_DATA_DIRS=$prefix/share:/usr/share"

# Adds a command line to complete, with the candidates for its last word. They are sorted and separated by |.
expect() { # LINE CANDIDATE...
	printf '%s\n' "$1" >>"$work/lines"
	shift
	printf '%s\n' "$@" | LC_ALL=C sort | paste -sd '|' >>"$work/candidates"
}
commands() {
	"$regq" -h | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p'
}
flags() { # COMMAND
	"$regq" "$1" -h | sed -n 's/^  .\{4\}--\([a-z-]*\).*/--\1/p'
}
files() { # COMMAND
	"$regq" "$1" -h | sed -n 's/^  .\{4\}--\([a-z-]*\) FILE.*/--\1/p'
}
platforms='local linux/amd64 linux/arm64 linux/arm/v7 linux/arm/v6 linux/386 linux/ppc64le linux/riscv64 linux/s390x
	windows/amd64'
{
	expect 'regq ' $(commands)
	expect 'regq dige' digest
	expect 'regq help ' $(commands)
	expect 'regq help dige' digest
	expect 'regq digest ' ''
	expect 'regq digest --' $(flags digest)
	expect 'regq digest alpine --' $(flags digest)
	expect 'regq digest alpine ' ''
	expect 'regq digest --gen' ''
	expect 'regq --ge' --get --generate
	expect 'regq --generate ' man bash zsh fish
	expect 'regq --platform ' $platforms
	expect 'regq digest --platform ' $platforms
	expect 'regq digest --platform=lo' --platform=local
	expect 'regq --json pars' parse
	expect 'regq --platform local manif' manifest
	expect 'regq --platform=local manif' manifest
	expect 'regq --platform parse manif' manifest
	expect 'regq digest --user ' ''
	expect 'regq digest --authfile=al' --authfile=alpha.json
	expect 'regq digest --authfile b' 'b c.json'
	expect 'regq digest --authfile ./a' ./alpha.json
	for command in $(commands); do
		expect "regq $command --" $(flags "$command")
		for flag in $(files "$command"); do
			expect "regq $command $flag al" alpha.json
		done
	done
}
# The loops over the help must have found something.
grep -q 'digest --authfile al' "$work/lines"

# Reads lines of the typed command line, a tab and the completed words; prints the candidates, which come last.
candidates() {
	awk -F '\t' '{
		typed = split($1, before, " ")
		if ($1 ~ / $/) before[++typed] = ""
		count = split($2, words, "|")
		out = ""
		for (i = typed - 1; i <= count; i++)
			if (words[i] != before[typed]) out = out (out == "" ? "" : "|") words[i]
		print out
	}' | sorted
}
sorted() {
	while IFS= read -r line; do
		printf '%s\n' "$line" | tr '|' '\n' | LC_ALL=C sort | paste -sd '|'
	done
}

# bash and zsh: the keys insert all candidates into the command line, and then run it. A function called regq prints
# the words it gets.
in_bash() {
	cat >"$work/bashrc" <<-'END'
		. /usr/share/bash-completion/bash_completion
		regq() { local IFS='|'; printf 'words\t%s\n' "$*"; }
		PS1= PS2=
	END
	# Tab for a name that needs quotes, Meta-* for all candidates.
	while IFS= read -r line; do
		case $line in
		*'--authfile b') printf '%s\t\n' "$line" ;;
		*) printf '%s\033*\n' "$line" ;;
		esac
	done <"$work/lines" |
		$clean_env timeout 60 bash --noprofile --rcfile "$work/bashrc" -i 2>"$work/bash.stderr" |
		sed -n 's/^words\t//p' | paste "$work/lines" - | candidates
}
in_zsh() {
	cat >"$work/zshrc" <<-'END'
		PS1= PS2= RPS1=
		fpath=($1/share/zsh/site-functions $fpath)
		autoload -Uz compinit && compinit -u -D
		regq() { print -r -- "words"$'\t'"${(j:|:)@}" }
		zle -C all-matches complete-word _generic
		bindkey '^Xa' all-matches
		zstyle ':completion:all-matches:*' completer _all_matches _complete
		zstyle ':completion:all-matches:*' insert true
	END
	cat >"$work/type.zsh" <<-'END'
		zmodload zsh/zpty
		zpty shell 'zsh -f -i'
		zpty -w shell "stty -echo cols 2000; set -- ${(q)1}; source ${(q)2}/zshrc; print re''ady"
		until [[ $answer == *ready* ]]; do zpty -r shell answer || exit 1; done
		while IFS= read -r line; do
			zpty -w -n shell "$line"$'\C-xa\n'
			until [[ $answer == words* ]]; do zpty -r shell answer || exit 1; done
			print -r -- "${answer%%$'\r'*}"
			answer=
		done <$2/lines
	END
	$clean_env timeout 120 zsh -f "$work/type.zsh" "$prefix" "$work" |
		sed -n 's/^words\t//p' | paste "$work/lines" - | candidates
}
# fish prints its candidates, each with a description after a tab.
in_fish() {
	$clean_env timeout 60 fish -c 'while read -l line
		set -l found (complete -C $line | string replace -r "\t.*" "")
		echo (string join -- "|" $found)
	end' <"$work/lines" | sorted
}

failed=0
for shell in bash zsh fish; do
	"in_$shell" >"$work/$shell"
	paste "$work/lines" "$work/candidates" >"$work/expected"
	paste "$work/lines" "$work/$shell" >"$work/found"
	if diff -u "$work/expected" "$work/found"; then
		echo "$shell: $(wc -l <"$work/lines") lines completed"
	else
		echo "shells.sh: $shell completes differently (- expected, + found)" >&2
		failed=1
	fi
done

page=$prefix/share/man/man1/regq.1
groff=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null) || failed=1
mandoc=$(mandoc -T lint -W style "$page" 2>&1) || failed=1
if [ -n "$groff$mandoc" ]; then
	printf 'shells.sh: the man page has warnings\n%s\n%s\n' "$groff" "$mandoc" >&2
	failed=1
fi
# man finds the page, and both formatters show dashes and quotes as they are typed.
MANPATH=$prefix/share/man man regq | col -b >"$work/groff.txt"
mandoc -T utf8 "$page" | col -b >"$work/mandoc.txt"
for reader in groff mandoc; do
	for text in '--platform OS/ARCH[/VARIANT]' "Bearer realm=\"/token\"'" '~/.docker/config.json'; do
		if ! grep -qF -e "$text" "$work/$reader.txt"; then
			echo "shells.sh: $reader does not show $text" >&2
			failed=1
		fi
	done
done
[ "$failed" = 0 ] && echo 'man page: no warnings'
exit "$failed"
