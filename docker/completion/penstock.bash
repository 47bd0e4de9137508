# SPDX-License-Identifier: MIT
# Completion of penstock's command line for bash. It reads `penstock help`, so it knows what the program that is called
# knows: commands and synopses from lines "penstock NAME SYNOPSIS", options from lines "  --name [VALUE]  meaning".

# _penstock_read PROGRAM [COMMAND]: fills names, synopsis and options (each "--name" or "--name VALUE").
_penstock_read() {
	local line begun=${2:+yes} # the help of all begins with a sentence and an empty line
	names=() synopsis='' options=("--help")
	while IFS= read -r line; do
		if [[ -z $line ]]; then
			begun=yes
		elif [[ $begun && $line =~ ^penstock\ ([a-z]+)\ ?(.*)$ ]]; then
			names+=("${BASH_REMATCH[1]}")
			synopsis=${BASH_REMATCH[2]}
		elif [[ $line =~ ^\ \ (--[a-z-]+(\ [A-Z]+)?) ]]; then
			options+=("${BASH_REMATCH[1]}")
		fi
	done < <("$1" help ${2:+"$2"} 2>/dev/null)
}

# What may stand for a word of a synopsis.
_penstock_words() { # DIR|FILE|... CURRENT
	case $1 in
	*FILE* | *ROUTES* | *REQUEST*) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	*DIR*) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
	*COMMAND*) mapfile -t COMPREPLY < <(compgen -W "${names[*]}" -- "$2") ;;
	[0-9a-z]*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$2") ;;
	*) return ;;
	esac
	[[ $1 == *FILE* || $1 == *ROUTES* || $1 == *REQUEST* || $1 == *DIR* ]] && compopt -o filenames 2>/dev/null
	return 0
}

_penstock() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	local names synopsis options option
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_penstock_read "$1"
		mapfile -t COMPREPLY < <(compgen -W "${names[*]} --help --version" -- "$current")
		return
	fi
	_penstock_read "$1" "$command"
	for option in "${options[@]}"; do
		[[ $option == "$before "* ]] && _penstock_words "${option#* }" "$current" && return
	done
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${options[*]%% *}" -- "$current")
		return
	fi
	[[ $synopsis == *COMMAND* ]] && _penstock_read "$1" && synopsis=COMMAND
	_penstock_words "${synopsis##*] }" "$current" # what is left after the options
}

complete -F _penstock penstock
