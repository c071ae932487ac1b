# Completion of caffefix for fish 3 and later; written by: caffefix completion fish
# It runs no program, and evaluates nothing of what is on the command line or in a folder.

complete -c caffefix -e
complete -c caffefix -f
@TABLES@

# The command on the line up to the cursor, its words joined by a blank; empty for "caffefix PATH...".
function __caffefix_command
    set -l words (commandline -opc)
    set -e words[1]
    contains -- "$words[1]" $__caffefix_commands; or return
    if contains -- "$words[1]" $__caffefix_groups
        echo "$words[1..2]"
    else
        echo $words[1]
    end
end

function __caffefix_is
    set -l command (__caffefix_command)
    test "$command" = "$argv[1]"
end

# Whether nothing precedes the word at the cursor.
function __caffefix_is_first
    test (count (commandline -opc)) -eq 1
end

# Whether the word at the cursor is the name of a command of a group.
function __caffefix_is_below
    test "$(commandline -opc)[2..]" = "$argv[1]"
end

# Whether the word at the cursor is the argument of that number of a command, from 0.
function __caffefix_is_place
    __caffefix_is "$argv[1]"; or return
    set -l words (commandline -opc)
    set -l skipped (count (string split -n ' ' -- $argv[1]))
    set -e words[1..(math $skipped + 1)]
    set -l place 0
    set -l is_value 0
    for word in $words
        if test $is_value = 1
            set is_value 0
        else if contains -- $word $__caffefix_valued
            set is_value 1
        else if not string match -q -- '-*' $word
            set place (math $place + 1)
        end
    end
    test $place = $argv[2]
end

# What is typed of a value, without the flag before it.
function __caffefix_typed
    string replace -r -- '^--[a-z-]+=' '' (commandline -ct)
end

# Names separated by commas.
function __caffefix_separated
    set -l before (string match -r -- '^.*,' (__caffefix_typed); or echo '')
    printf '%s\n' $before$argv
end

# Files with one of the suffixes, and folders; any file if there are neither. The word comes after $argv[1].
function __caffefix_files
    set -l found (complete -C "'' $argv[1]")
    set -l wanted
    for line in $found
        set -l name (string split -m 1 \t -- $line)[1]
        if string match -q -- '*/' $name; or string match -q -r -- "($argv[2])\$" $name
            set -a wanted $line
        end
    end
    set -q wanted[1]; or set wanted $found
    printf '%s\n' $wanted
end

function __caffefix_formats
    set -l typed (__caffefix_typed)
    set -l name (string match -r -- '^[a-z]+=' $typed)
    if set -q name[1]
        printf '%s\n' $name(__caffefix_files (string replace -- $name '' $typed) '')
    else
        printf '%s\n' $__caffefix_formats
    end
end
