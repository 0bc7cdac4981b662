#!/usr/bin/env bash
# The rules of the code that neither compiler, clang-format nor clang-tidy knows: banned calls, lengths of files and
# functions, struct typedefs, leftover marks, printing inside libraries. Relies on clang-format having run (a function's
# first line starts in column 1, its closing brace stands alone in column 1).
# Arguments: another root to check, for this script's own test.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "${1:-$ROOT}"

MAX_FILE_LINES=1000
MAX_FUNCTION_LINES=70

# unbounded, locale-bound, not thread-safe or without error report; the right-hand side is what to use instead
BANNED='
strcpy        a struct buffer, or memcpy with a checked size
strcat        a struct buffer
strncpy       memcpy with a checked size
strncat       a struct buffer
sprintf       snprintf or a struct buffer
vsprintf      vsnprintf or a struct buffer
gets          the readers of os/file.h
atoi          text_parse_* of base/text.h
atol          text_parse_* of base/text.h
atoll         text_parse_* of base/text.h
atof          text_parse_* of base/text.h
strtok        text_split of base/text.h
strtok_r      text_split of base/text.h
scanf         the parsers of base/text.h
sscanf        the parsers of base/text.h
rand          base/random.h, handed in
srand         base/random.h, handed in
random        base/random.h, handed in
gmtime        base/time.h
localtime     base/time.h
asctime       base/time.h
ctime         base/time.h
alloca        an arena
setlocale     nothing: numbers are always written with a point
system        os/process.h
popen         os/process.h
fork          os/process.h (posix_spawn; see docs/decisions)
vfork         os/process.h
tmpnam        os/file.h
mktemp        os/file.h
'
# a library never prints or exits: only main.c, cli/ and tests may
PRINTING='printf vprintf puts putchar perror exit _exit quick_exit'

scan() {
  # shellcheck disable=SC2016
  awk -v banned_table="$BANNED" -v printing_list="$PRINTING" \
    -v max_file="$MAX_FILE_LINES" -v max_function="$MAX_FUNCTION_LINES" '
    function say(text) { printf "%s:%d: %s\n", FILENAME, FNR, text }

    # the line without comments and without what is inside quotes; carries in_comment over lines
    function code_of(line,    out, position, two, one, quote) {
      out = ""
      position = 1
      while (position <= length(line)) {
        two = substr(line, position, 2)
        one = substr(line, position, 1)
        if (in_comment) {
          if (two == "*/") { in_comment = 0; position += 2 } else position++
        } else if (two == "/*") {
          in_comment = 1; position += 2
        } else if (two == "//") {
          break
        } else if (one == "\"" || one == "\047") {
          quote = one
          for (position++; position <= length(line) && substr(line, position, 1) != quote; position++)
            if (substr(line, position, 1) == "\\") position++
          position++
          out = out quote quote
        } else {
          out = out one; position++
        }
      }
      return out
    }

    function check_calls(code,    rest, name) {
      rest = code
      while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ ]*\(/)) {
        name = substr(rest, RSTART, RLENGTH)
        before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
        sub(/[ ]*\($/, "", name)
        # a member (loop->system(...)) is not the library function
        if (before != "." && before != ">") {
          if (name in banned) say(name "() is banned: use " banned[name])
          if (is_library && name in printing) say(name "() in a library: return an error, or log")
        }
        rest = substr(rest, RSTART + RLENGTH)
      }
      if (is_library && code ~ /f(printf|puts|putc|write)\(.*(stdout|stderr)[ ]*[,)]/)
        say("output to stdout or stderr in a library: return an error, or log")
    }

    function check_function(code) {
      if (code ~ /^[A-Za-z_]/ && !in_function) { declaration = code; first_line = FNR }
      else if (!in_function) declaration = declaration " " code
      if (!in_function && code ~ /\)[ ]*\{[ ]*$/ && declaration !~ /=/ && declaration !~ /^(struct|enum|union)[ ]+[a-z_]*[ ]*\{/)
        in_function = 1
      if (in_function && code ~ /^\}/) {
        in_function = 0
        if (FNR - first_line + 1 > max_function) {
          name = declaration; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
          say(name "() has " FNR - first_line + 1 " lines, at most " max_function)
        }
      }
    }

    function end_of_file() {
      if (last_file != "" && last_line > max_file)
        printf "%s: %d lines, at most %d\n", last_file, last_line, max_file
    }

    BEGIN {
      rows = split(banned_table, row, "\n")
      for (i = 1; i <= rows; i++)
        if (match(row[i], /^[a-z_]+/)) {
          name = substr(row[i], 1, RLENGTH); why = substr(row[i], RLENGTH + 1); sub(/^ +/, "", why)
          banned[name] = why
        }
      names = split(printing_list, list, " ")
      for (i = 1; i <= names; i++) printing[list[i]] = 1
    }
    FNR == 1 {
      end_of_file()
      in_comment = in_function = 0
      is_library = FILENAME ~ /^src\/[a-z_]+\// && FILENAME !~ /^src\/cli\// && FILENAME !~ /_test\.c$/
    }
    {
      last_file = FILENAME; last_line = FNR
      if ($0 ~ /(^|[^A-Za-z_])(TODO|FIXME|XXX|HACK)([^A-Za-z_]|$)/) say("leftover mark: finish it or open an issue")
      code = code_of($0)
      if (code ~ /typedef[ ]+(struct|enum|union)[^(]*$/) say("no typedefs of structs, enums or unions")
      if (code ~ /define[ ]+NDEBUG/) say("asserts are always on")
      check_calls(code)
      check_function(code)
    }
    END { end_of_file() }
  ' "$@"
}

mapfile -t files < <(find src fuzz bench tests -name '*.[ch]' 2>/dev/null | sort)
breaches=$(scan "${files[@]}" </dev/null)
marks=$(grep -rnwE 'TODO|FIXME|XXX|HACK' --include='*.py' --include='*.js' --include='*.mjs' --include='*.ts' \
  --exclude-dir=node_modules tests clients bench 2>/dev/null || true)
if [ -n "$breaches$marks" ]; then
  printf '%s\n' "$breaches" "$marks" | sed '/^$/d'
  exit 1
fi
printf 'style holds: %d files\n' "${#files[@]}"
