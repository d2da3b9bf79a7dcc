#!/bin/sh
# shells.sh PREFIX: what `make install` put below PREFIX, tried in real shells and by real readers of manuals.
#
# bash, zsh and fish find their file by themselves, as they do for whoever installs regq, and complete the same
# beginnings of command lines; the man page passes groff and mandoc. What is due comes from `regq -h` and from the
# files in the folder. Nothing is skipped: a program that is missing is a failure.
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
# Nothing of whoever runs this, and no folder but the installed one and the system's.
alone="env -i PATH=$prefix/bin:$PATH HOME=$work/home LC_ALL=C.UTF-8 TERM=dumb XDG_DATA_DIRS=$prefix/share:/usr/share"

# Beginnings of lines, each with what may stand in place of its last word, sorted, separated by |.
due() { # LINE CANDIDATE...
	printf '%s\n' "$1" >>"$work/lines"
	shift
	printf '%s\n' "$@" | LC_ALL=C sort | paste -sd '|' >>"$work/due"
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
	due 'regq ' $(commands)
	due 'regq dige' digest
	due 'regq help ' $(commands)
	due 'regq help dige' digest
	due 'regq digest ' ''
	due 'regq digest --' $(flags digest)
	due 'regq digest alpine --' $(flags digest)
	due 'regq digest alpine ' ''
	due 'regq digest --gen' ''
	due 'regq --ge' --get --generate
	due 'regq --generate ' man bash zsh fish
	due 'regq --platform ' $platforms
	due 'regq digest --platform ' $platforms
	due 'regq digest --platform=lo' --platform=local
	due 'regq --json pars' parse
	due 'regq --platform local manif' manifest
	due 'regq --platform=local manif' manifest
	due 'regq --platform parse manif' manifest
	due 'regq digest --user ' ''
	due 'regq digest --authfile=al' --authfile=alpha.json
	due 'regq digest --authfile b' 'b c.json'
	due 'regq digest --authfile ./a' ./alpha.json
	for command in $(commands); do
		due "regq $command --" $(flags "$command")
		for flag in $(files "$command"); do
			due "regq $command $flag al" alpha.json
		done
	done
}
# That the loops over the help found something.
grep -q 'digest --authfile al' "$work/lines"

# Takes TYPED and, after a tab, the words that the shell made of it: leaves those that it put last.
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

# bash and zsh are typed to: the keys put all that may stand there into the line, and the line is run. What it runs is
# not the program but a function that shows the words it was given.
in_bash() {
	cat >"$work/bashrc" <<-'END'
		. /usr/share/bash-completion/bash_completion
		regq() { local IFS='|'; printf 'words\t%s\n' "$*"; }
		PS1= PS2=
	END
	# A tab for one that may need quotes, Meta-* for all there are.
	while IFS= read -r line; do
		case $line in
		*'--authfile b') printf '%s\t\n' "$line" ;;
		*) printf '%s\033*\n' "$line" ;;
		esac
	done <"$work/lines" |
		$alone timeout 60 bash --noprofile --rcfile "$work/bashrc" -i 2>"$work/bash.stderr" |
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
	$alone timeout 120 zsh -f "$work/type.zsh" "$prefix" "$work" |
		sed -n 's/^words\t//p' | paste "$work/lines" - | candidates
}
# fish says itself what it would offer, with a description behind a tab.
in_fish() {
	$alone timeout 60 fish -c 'while read -l line
		set -l found (complete -C $line | string replace -r "\t.*" "")
		echo (string join -- "|" $found)
	end' <"$work/lines" | sorted
}

failed=0
for shell in bash zsh fish; do
	"in_$shell" >"$work/$shell"
	paste "$work/lines" "$work/due" >"$work/expected"
	paste "$work/lines" "$work/$shell" >"$work/found"
	if diff -u "$work/expected" "$work/found"; then
		echo "$shell: $(wc -l <"$work/lines") lines completed"
	else
		echo "shells.sh: $shell completes otherwise (- is due, + was found)" >&2
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
# It is found, and shows names and quotes as they are typed.
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
