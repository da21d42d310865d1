# SPDX-License-Identifier: Apache-2.0
# How this repository builds itself. Authors of plugins outside it use TenonPluginConfig.cmake.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(TENON_SANITIZE "" CACHE STRING "sanitizers of the host, e.g. address,undefined")
option(TENON_COVERAGE "line coverage" OFF)
option(TENON_SLOW_CHECKS "whole-table assertions after each event" OFF)
option(TENON_PLANTED "bugs that tenon-sim --plant switches on, and must find" OFF)

set(TENON_WARNINGS -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wpointer-arith -Wcast-qual -Wundef -Werror)
# Plugins are built plain in every preset: sanitizers add constructors that the loader refuses.
set(TENON_PLUGIN_FLAGS -O2 -g -ffp-contract=off -fno-fast-math -fvisibility=hidden -fPIC
    -fno-sanitize=all -fno-stack-protector -U_FORTIFY_SOURCE)
set(TENON_HOST_FLAGS -g -ffp-contract=off -fno-fast-math -D_GNU_SOURCE -fno-omit-frame-pointer
    -fvisibility=hidden)
# Records are cleared and copied in pieces of 50 to 500 bytes: gcc's own choice for these is `rep
# stos`, whose start alone costs more than the vector stores do.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    set(TENON_SMALL_COPIES -mmemset-strategy=vector_loop:1024:noalign,libcall:-1:noalign
        -mmemcpy-strategy=vector_loop:1024:noalign,libcall:-1:noalign)
    list(APPEND TENON_HOST_FLAGS ${TENON_SMALL_COPIES})
    list(APPEND TENON_PLUGIN_FLAGS ${TENON_SMALL_COPIES})
endif()
set(TENON_HOST_LINK "")
if(TENON_SANITIZE)
    list(APPEND TENON_HOST_FLAGS -fsanitize=${TENON_SANITIZE} -fno-sanitize-recover=all)
    list(APPEND TENON_HOST_LINK -fsanitize=${TENON_SANITIZE})
endif()
# Suppressions name Debian's uninstrumented libraries only.
set(TENON_TEST_ENV "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")
if(TENON_COVERAGE)
    list(APPEND TENON_HOST_FLAGS --coverage -fprofile-update=atomic)
    list(APPEND TENON_HOST_LINK --coverage)
endif()
if(TENON_PLANTED)
    list(APPEND TENON_HOST_FLAGS -DTENON_PLANTED)
endif()
if(TENON_SLOW_CHECKS)
    list(APPEND TENON_HOST_FLAGS -DTENON_SLOW_CHECKS)
endif()
add_compile_definitions(TENON_VERSION="${PROJECT_VERSION}"
                        TENON_SHARE_DIR="${CMAKE_SOURCE_DIR}/plugin-api")

function(tenon_target_flags target)
    target_compile_options(${target} PRIVATE ${TENON_WARNINGS} ${TENON_HOST_FLAGS})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/host
                               ${CMAKE_SOURCE_DIR}/plugin-api/include ${CMAKE_SOURCE_DIR})
    target_link_options(${target} PRIVATE ${TENON_HOST_LINK})
endfunction()

# tenon_folder(core USES base LINKS lib): host/core/*.c -> static library tenon_core.
function(tenon_folder name)
    cmake_parse_arguments(F "" "" "USES;LINKS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/host/${name}/*.c)
    if(NOT sources)
        return()
    endif()
    add_library(tenon_${name} STATIC ${sources})
    tenon_target_flags(tenon_${name})
    foreach(used ${F_USES})
        if(TARGET tenon_${used})
            target_link_libraries(tenon_${name} PUBLIC tenon_${used})
        endif()
    endforeach()
    target_link_libraries(tenon_${name} PUBLIC ${F_LINKS})
endfunction()

# All folder libraries that exist, for programs and tests.
function(tenon_all_libraries out)
    set(libs)
    foreach(name daemon flow gateway deploy house egress bays venue journal core base tbl)
        if(TARGET tenon_${name})
            list(APPEND libs tenon_${name})
        endif()
    endforeach()
    set(${out} ${libs} PARENT_SCOPE)
endfunction()

# host/tenond.c -> tenond, host/verify.c -> tenon-verify, tools/tenon/*.c -> tenon, tests/sim/*.c ->
# tenon-sim.
function(tenon_program name)
    cmake_parse_arguments(P "" "" "SOURCES;LINKS" ${ARGN})
    list(GET P_SOURCES 0 first)
    if(NOT first OR NOT EXISTS ${first})
        return()
    endif()
    add_executable(${name} ${P_SOURCES})
    tenon_target_flags(${name})
    target_link_libraries(${name} PRIVATE ${P_LINKS})
endfunction()
function(tenon_programs)
    tenon_all_libraries(libs)
    set(host ${CMAKE_SOURCE_DIR}/host)
    tenon_program(tenond SOURCES ${host}/tenond.c LINKS ${libs})
    # Upgrade tests go from tenond to this: its own copies of the files that name the core logic
    # come before those of the libraries.
    tenon_program(tenond-next SOURCES ${host}/tenond.c ${host}/core/step.c ${host}/flow/genesis.c
                  ${host}/flow/replay.c ${host}/journal/snapshot.c LINKS ${libs})
    target_compile_definitions(tenond-next PRIVATE TENON_CORE_LOGIC=3)
    tenon_program(tenon-egress SOURCES ${host}/egress.c LINKS ${libs})
    # No more than it needs: what is linked is in reach of a plugin.
    tenon_program(tenon-bay SOURCES ${host}/bay.c LINKS tenon_bays tenon_base tenon_tbl)
    tenon_program(tenon-venue SOURCES ${host}/venue.c LINKS ${libs})
    tenon_program(tenon-verify SOURCES ${host}/verify.c LINKS ${ROCKSDB} PkgConfig::SSL)
    file(GLOB cli CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/tenon/*.c)
    tenon_program(tenon SOURCES ${cli} LINKS ${libs} PkgConfig::CURSES)
    file(GLOB sim CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.c)
    if(sim)
        tenon_program(tenon-sim SOURCES ${sim} LINKS ${libs})
    endif()
endfunction()

# tools/benches/plugins/<name>/ -> bench/<name>.so: strategies that only benches have. `limit` is
# the C limit's: bare functions, no plugin.
function(tenon_bench_plugins)
    set(root ${CMAKE_SOURCE_DIR}/tools/benches/plugins)
    foreach(name flip fused)
        tenon_plugin(bench_${name} OUTPUT ${name} SOURCES ${root}/${name}/${name}.c)
        set_target_properties(plugin_bench_${name} PROPERTIES
            LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    endforeach()
    add_library(plugin_bench_limit MODULE ${root}/limit/limit_so.c)
    set_target_properties(plugin_bench_limit PROPERTIES PREFIX "" OUTPUT_NAME limit
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_compile_options(plugin_bench_limit PRIVATE ${TENON_WARNINGS} ${TENON_PLUGIN_FLAGS})
endfunction()

# tools/benches/bench_core.c -> bench_core, over the other files there. Built with everything else,
# so that none rots.
function(tenon_benches)
    tenon_bench_plugins()
    tenon_all_libraries(libs)
    file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/benches/bench_*.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/benches/*.c)
    list(FILTER helpers EXCLUDE REGEX "/bench_[^/]*\\.c$")
    add_library(benches_lib STATIC ${helpers})
    tenon_target_flags(benches_lib)
    target_compile_definitions(benches_lib PUBLIC TENON_PLUGIN_DIR="${CMAKE_BINARY_DIR}/plugins"
        TENON_BENCH_DIR="${CMAKE_BINARY_DIR}/bench" TENON_SWAP_DIR="${CMAKE_BINARY_DIR}/swap")
    target_link_libraries(benches_lib PUBLIC ${libs} ${CMAKE_DL_LIBS})
    foreach(source ${benches})
        get_filename_component(name ${source} NAME_WE)
        add_executable(${name} ${source})
        tenon_target_flags(${name})
        target_link_libraries(${name} PRIVATE benches_lib)
        add_dependencies(${name} plugin_bench_flip plugin_bench_fused plugin_bench_limit)
        if(TARGET tenon-bay)
            add_dependencies(${name} tenon-bay swap_plugins)
        endif()
    endforeach()
endfunction()

# `programs`: what tools/run needs, without tests and benches.
function(tenon_runnable)
    add_custom_target(programs)
    get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target ${targets})
        if(target MATCHES "^(tenon|tenond|tenon-(egress|bay|venue|verify)|plugin_.*)$")
            add_dependencies(programs ${target})
        endif()
    endforeach()
endfunction()

function(tenon_plugin_flags target)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${target} PRIVATE ${TENON_WARNINGS} ${TENON_PLUGIN_FLAGS})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/plugin-api/include)
endfunction()

# One plugin: all .c of a folder (its tests and its README aside) -> <id>.so, plain in every preset.
function(tenon_plugin name)
    cmake_parse_arguments(P "" "OUTPUT" "SOURCES" ${ARGN})
    add_library(plugin_${name} MODULE ${P_SOURCES})
    set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME "${P_OUTPUT}"
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
    tenon_plugin_flags(plugin_${name})
    target_link_options(plugin_${name} PRIVATE -nostartfiles -fno-sanitize=all -Wl,-z,defs
        -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -Wl,--build-id=sha1
        -Wl,--version-script=${CMAKE_SOURCE_DIR}/plugin-api/cmake/plugin.map)
    target_link_libraries(plugin_${name} PRIVATE m)
endfunction()

# Each folder below the given roots is one plugin, or holds one folder per version.
function(tenon_plugins)
    foreach(root ${ARGN})
        file(GLOB folders CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${root}/*)
        foreach(folder ${folders})
            if(IS_DIRECTORY ${folder})
                tenon_plugin_folder(${folder})
            endif()
        endforeach()
    endforeach()
endfunction()
function(tenon_plugin_folder folder)
    get_filename_component(name ${folder} NAME)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    list(FILTER sources EXCLUDE REGEX "_test\\.c$")
    if(sources)
        tenon_plugin(${name} OUTPUT ${name} SOURCES ${sources})
    endif()
    file(GLOB versions CONFIGURE_DEPENDS ${folder}/[0-9]*)
    foreach(version ${versions})
        file(GLOB vsources CONFIGURE_DEPENDS ${version}/*.c)
        get_filename_component(v ${version} NAME)
        tenon_plugin(${name}-${v} OUTPUT ${name}-${v} SOURCES ${vsources})
        target_include_directories(plugin_${name}-${v} PRIVATE ${folder})
    endforeach()
endfunction()

function(tenon_test_flags target)
    tenon_target_flags(${target})
    target_compile_options(${target} PRIVATE -Wno-missing-prototypes -Wno-cast-qual)
    target_compile_definitions(${target} PRIVATE TENON_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
        TENON_BINARY_DIR="${CMAKE_BINARY_DIR}" TENON_PLUGIN_DIR="${CMAKE_BINARY_DIR}/plugins")
endfunction()

# tests/lib/*.c -> tests_lib: compiled once, and each test takes from it what it names.
function(tenon_test_library)
    tenon_all_libraries(libs)
    file(GLOB helpers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/lib/*.c)
    add_library(tests_lib STATIC ${helpers})
    tenon_test_flags(tests_lib)
    target_link_libraries(tests_lib PUBLIC ${libs} PkgConfig::CMOCKA)
endfunction()

# tests/unit/<folder>/<module>_test.c and <plugin folder>/*_test.c -> one program and ctest each.
function(tenon_test source)
    file(RELATIVE_PATH rel ${CMAKE_SOURCE_DIR} ${source})
    string(REGEX REPLACE "[/.]" "_" name ${rel})
    string(REGEX REPLACE "_c$" "" name ${name})
    add_executable(${name} ${source})
    tenon_test_flags(${name})
    target_link_libraries(${name} PRIVATE tests_lib)
    add_test(NAME ${rel} COMMAND ${name})
    set_tests_properties(${rel} PROPERTIES ENVIRONMENT "${TENON_TEST_ENV}")
endfunction()
# tests/fault/disk_shim.c -> tests/disk_shim.so, plain: it is loaded in front of the sanitizers.
function(tenon_disk_shim)
    add_library(disk_shim MODULE ${CMAKE_SOURCE_DIR}/tests/fault/disk_shim.c)
    set_target_properties(disk_shim PROPERTIES PREFIX ""
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_compile_options(disk_shim PRIVATE ${TENON_WARNINGS} -g -O1 -D_GNU_SOURCE
        -fvisibility=hidden)
    target_include_directories(disk_shim PRIVATE ${CMAKE_SOURCE_DIR})
    target_link_libraries(disk_shim PRIVATE ${CMAKE_DL_LIBS})
endfunction()
function(tenon_tests)
    tenon_disk_shim()
    tenon_test_library()
    file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c
         ${CMAKE_SOURCE_DIR}/tests/contract/*_test.c ${CMAKE_SOURCE_DIR}/tests/replay/*_test.c
         ${CMAKE_SOURCE_DIR}/tests/fault/*_test.c
         ${CMAKE_SOURCE_DIR}/plugins/*_test.c ${CMAKE_SOURCE_DIR}/strategies/*_test.c
         ${CMAKE_SOURCE_DIR}/adapters/*_test.c)
    foreach(source ${tests})
        tenon_test(${source})
    endforeach()
    # scenarios: programs over the real binaries, any language; exit 0 pass, 77 skip with a reason
    file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/scenario/*.sh
         ${CMAKE_SOURCE_DIR}/tests/scenario/*_test.py)
    foreach(source ${scenarios})
        file(RELATIVE_PATH rel ${CMAKE_SOURCE_DIR} ${source})
        add_test(NAME ${rel} COMMAND ${source} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
        set_tests_properties(${rel} PROPERTIES SKIP_RETURN_CODE 77
            ENVIRONMENT
            "TENON_BUILD=${CMAKE_BINARY_DIR};TENON_SOURCE=${CMAKE_SOURCE_DIR};${TENON_TEST_ENV}")
    endforeach()
endfunction()
