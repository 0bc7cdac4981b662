# Embeds the files of a folder into a library: almanac_embed(<target> <name> <folder>) adds a generated C file that
# defines `const struct asset_table asset_table_<name>` (src/http/asset.h), sorted by path.
#
# The same file is the script of the build step (cmake -P): it writes paths, sizes and hashes, and leaves the bytes to the
# assembler's .incbin, so a bundle of megabytes costs no compile time. X.gz and X.br beside X become the compressed bodies
# of X. A changed, new or removed file runs the step again (the list is part of its command), and a changed hash compiles
# the file again. The output depends on names and contents only. A folder that is not there is an empty table.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(ALMANAC_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(almanac_embed target name folder)
    file(GLOB_RECURSE files LIST_DIRECTORIES false CONFIGURE_DEPENDS ${folder}/*)
    list(SORT files)
    string(SHA256 list_hash "${files}")
    set(out ${CMAKE_BINARY_DIR}/generated/asset_${name}.c)
    add_custom_command(
      OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -D NAME=${name} -D FOLDER=${folder} -D OUT=${out} -D LIST_HASH=${list_hash} -P
              ${ALMANAC_EMBED_SCRIPT}
      DEPENDS ${files} ${ALMANAC_EMBED_SCRIPT}
      COMMENT "Embedding ${name}"
      VERBATIM)
    target_sources(${target} PRIVATE ${out})
  endfunction()
  return()
endif()

# one body: its bytes behind a symbol of this file, and the row's text
function(embed_body path symbol encoding suffix out_data out_row)
  file(SIZE ${path} size)
  file(SHA256 ${path} hash)
  string(SUBSTRING ${hash} 0 20 hash)
  set(data "__asm__(\".section .rodata\\n.balign 16\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n.byte 0\\n.previous\");\n")
  string(APPEND data "extern const unsigned char ${symbol}[];\n")
  set(${out_data} "${data}" PARENT_SCOPE)
  set(${out_row} "[${encoding}] = {${symbol}, ${size}, \"\\\"${hash}${suffix}\\\"\"}, " PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
set(bodies)
set(rows)
set(count 0)
foreach(file ${files})
  if(file MATCHES "[\"\\\\\n]")
    message(FATAL_ERROR "cannot embed '${file}': quotes and backslashes are not for names of files")
  endif()
  string(REGEX REPLACE "\\.(gz|br)$" "" plain "${file}")
  if(NOT plain STREQUAL file AND EXISTS "${FOLDER}/${plain}")
    continue() # a body of its sibling
  endif()
  set(symbol asset_${NAME}_${count})
  embed_body("${FOLDER}/${file}" ${symbol} ASSET_PLAIN "" data row)
  string(APPEND bodies "${data}")
  set(cells "${row}")
  if(EXISTS "${FOLDER}/${file}.br")
    embed_body("${FOLDER}/${file}.br" ${symbol}_br ASSET_BROTLI "-br" data row)
    string(APPEND bodies "${data}")
    string(APPEND cells "${row}")
  endif()
  if(EXISTS "${FOLDER}/${file}.gz")
    embed_body("${FOLDER}/${file}.gz" ${symbol}_gz ASSET_GZIP "-gz" data row)
    string(APPEND bodies "${data}")
    string(APPEND cells "${row}")
  endif()
  string(APPEND rows "    {\"${file}\", {${cells}}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "/* Written by cmake/embed.cmake. */
#include \"http/asset.h\"

${bodies}
static const struct asset rows[] = {
${rows}    {0},
};
extern const struct asset_table asset_table_${NAME};
const struct asset_table asset_table_${NAME} = {rows, ${count}};
")
