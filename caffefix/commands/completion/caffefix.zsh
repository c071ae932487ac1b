#compdef caffefix
# Completion of caffefix for zsh; written by: caffefix completion zsh
# It runs no program, and evaluates nothing of what is on the command line or in a folder.

@TABLES@

# Names separated by commas.
_caffefix_findings() {
    compset -P '*,'
    _caffefix_finding
}

_caffefix_finding() {
    _describe -t findings finding _caffefix_finding_lines
}

_caffefix_forks() {
    _wanted forks expl fork compadd -a _caffefix_forks
}

# The name of a format, or a name and a file.
_caffefix_formats() {
    if compset -P '[a-z]#='; then
        _files
    else
        _wanted formats expl format compadd -a _caffefix_formats
    fi
}

_caffefix_patches() {
    _alternative 'patches:shipped patch:compadd -a _caffefix_patches' 'files:file:_files -g "*.patch(-.)"'
}

_caffefix() {
    local curcontext=$curcontext ret=1 command=
    typeset -A opt_args
    if (( CURRENT > 2 )) && (( $_caffefix_command_names[(Ie)$words[2]] )); then
        command=$words[2]
        shift words
        (( CURRENT-- ))
        if (( $_caffefix_groups[(Ie)$command] )); then
            if (( CURRENT == 2 )); then
                _describe -t commands command _caffefix_commands_of_$command
                return
            fi
            command+=" $words[2]"
            shift words
            (( CURRENT-- ))
        fi
    elif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        _describe -t commands command _caffefix_commands && ret=0
    fi
    _caffefix_arguments "$command" && ret=0
    return ret
}

if [[ $funcstack[1] == _caffefix ]]; then
    _caffefix "$@"  # loaded from fpath
else
    compdef _caffefix caffefix
fi
