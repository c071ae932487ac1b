# Completion of caffefix for bash 4 and later; written by: caffefix completion bash
# It runs no program, and evaluates nothing of what is on the command line or in a folder.

@TABLES@

# The words up to the cursor, in words: bash has split them at = and :, which this undoes. The part of the last
# word that readline will not replace goes to kept.
_caffefix_split() {
    local line=${COMP_LINE:0:COMP_POINT} word piece n
    words=() kept=
    for ((n = 0; n <= COMP_CWORD; n++)); do
        piece=${COMP_WORDS[n]} word=${line#"${line%%[![:space:]]*}"}
        ((n < COMP_CWORD)) || piece=$word  # what is after the cursor does not count
        if ((n > 0)) && [[ -n $line && $line == "$word" ]]; then
            kept=${words[${#words[@]} - 1]}
            words[${#words[@]} - 1]+=$piece
            [[ $piece != [=:]* ]] || kept+=$piece
        else
            kept=
            words+=("$piece")
        fi
        line=${word#"$piece"}
    done
}

# The text that a word stands for, in text: without quotes and backslashes. Nothing is expanded.
_caffefix_unquoted() {
    local rest=$1 quote= char
    text=
    while [[ -n $rest ]]; do
        char=${rest:0:1} rest=${rest:1}
        if [[ -z $quote && $char == [\'\"] ]]; then
            quote=$char
        elif [[ $char == "$quote" ]]; then
            quote=
        elif [[ $char == \\ && $quote != \' ]] && [[ -z $quote || ${rest:0:1} == [\\\"\$\`] ]]; then
            text+=${rest:0:1} rest=${rest:1}
        else
            text+=$char
        fi
    done
}

# Adds the words of $2 that begin with $1 to found, each after $3.
_caffefix_words() {
    local word
    for word in $2; do
        [[ $word != "$1"* ]] || found+=("$3$word")
    done
}

# Adds the folders that begin with $1 to found, and the files that also match the pattern $2; if there are neither,
# any file. Each comes after $3.
_caffefix_files() {
    local typed=$1 home= path failglob=
    local -a folders=() wanted=() others=()
    [[ $typed != "~/"* ]] || home=$HOME typed=$HOME/${typed:2}
    ! shopt -q failglob || { failglob=1; shopt -u failglob; }
    for path in "$typed"*; do
        [[ -e $path || -L $path ]] || continue
        [[ -z $home ]] || path="~/${path#"$home"/}"
        [[ $path != -* ]] || path=./$path  # or it would be an option
        if [[ -d ${path/#"~"/$HOME} ]]; then
            folders+=("$3$path")
        elif [[ ${path##*/} == $2 ]]; then
            wanted+=("$3$path")
        else
            others+=("$3$path")
        fi
    done
    [[ -z $failglob ]] || shopt -s failglob
    [[ -n $2 && ${#folders[@]} == 0 && ${#wanted[@]} == 0 ]] && wanted=("${others[@]}")
    found+=("${folders[@]}" "${wanted[@]}")
    compopt -o filenames 2>/dev/null  # readline quotes them, and adds a slash to folders
}

# Adds what can be at a place: $1 is its kind, $2 what is typed there, $3 what comes before that in the word.
_caffefix_complete() {
    local list=${1#*:} done= word
    case $1 in
        words:*) _caffefix_words "$2" "$list" "$3" ;;
        list:*)
            [[ $2 != *,* ]] || done=${2%,*},
            for word in $list; do
                [[ ,$done == *",$word,"* ]] || _caffefix_words "${2#"$done"}" "$word" "$3$done"
            done
            ;;
        joined:*)
            if [[ $2 == *=* ]]; then
                _caffefix_files "${2#*=}" "*" "$3${2%%=*}="
            else
                _caffefix_words "$2" "$list" "$3"
            fi
            ;;
        files:*) _caffefix_files "$2" "$list" "$3" ;;
        patches:*)
            _caffefix_words "$2" "$_caffefix_patches" "$3"
            _caffefix_files "$2" "$list" "$3"
            ;;
    esac
}

_caffefix() {
    local IFS=$' \t\n' text kept kind= command= flag= ended= place=0 word n
    local -a words found=()
    _caffefix_split
    local last=$((${#words[@]} - 1))
    for ((n = 1; n < last; n++)); do
        word=${words[n]}
        if [[ -n $flag ]]; then
            flag=
        elif ((n == 1)) && [[ " $_caffefix_commands " == *" $word "* ]]; then
            command=$word
        elif ((n == 2)) && [[ " $_caffefix_groups " == *" $command "* ]]; then
            command+=" $word"
        elif [[ -z $ended && $word == -- ]]; then
            ended=1
        elif [[ -z $ended && $word == -?* ]]; then
            _caffefix_value "$command" "$word" && [[ -n $kind ]] && flag=$word
        else
            ((place++))
        fi
    done
    _caffefix_unquoted "${words[last]}"
    word=$text
    if [[ -n $flag ]]; then
        _caffefix_value "$command" "$flag"
        _caffefix_complete "$kind" "$word" ""
    elif [[ -z $ended && $word == --*=* ]]; then
        _caffefix_value "$command" "${word%%=*}"
        _caffefix_complete "$kind" "${word#*=}" "${word%%=*}="
    elif [[ -z $ended && $word == -* ]]; then
        _caffefix_options "$command"
        ((last == 1)) && text+=" --version"
        _caffefix_words "$word" "$text" ""
    else
        _caffefix_argument "$command" "$place"
        _caffefix_complete "$kind" "$word" ""
        ((last == 1)) && _caffefix_words "$word" "$_caffefix_commands" ""
    fi
    _caffefix_unquoted "$kept"
    COMPREPLY=("${found[@]/#"$text"/}")
}
complete -F _caffefix caffefix
