# SPDX-License-Identifier: Apache-2.0
# find_package(TenonPlugin): builds Tenon plugins outside the Tenon tree.
#
#   find_package(TenonPlugin 1.0 REQUIRED)
#   tenon_plugin(my_idea SOURCES strategy.c [OUTPUT my_idea] [VERSION_SCRIPT file])
#
# gives target my_idea -> my_idea.so in the current binary folder, with the flags that the host's
# static checks want: one exported symbol, no code at load, full RELRO, no fused multiply-add.
# CMAKE_C_FLAGS are kept, but sanitizers and fast-math are switched off again behind them: they
# would make a plugin that the loader refuses.
#
# Works from the source tree (plugin-api/cmake) and installed (<prefix>/lib/cmake/TenonPlugin).

get_filename_component(_tenon_here "${CMAKE_CURRENT_LIST_DIR}" ABSOLUTE)
set(TenonPlugin_VERSION_SCRIPT "${_tenon_here}/plugin.map")
find_path(TenonPlugin_INCLUDE_DIR tenon/abi.h
    HINTS "${_tenon_here}/../include" "${_tenon_here}/../../../include"
    NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(TenonPlugin_INCLUDE_DIR)
if(NOT TenonPlugin_INCLUDE_DIR OR NOT EXISTS "${TenonPlugin_VERSION_SCRIPT}")
    set(TenonPlugin_FOUND FALSE)
    set(TenonPlugin_NOT_FOUND_MESSAGE
        "tenon/abi.h or plugin.map is not beside ${_tenon_here}; install tenon's plugin-api again")
    return()
endif()

set(TenonPlugin_COMPILE_FLAGS -fPIC -fvisibility=hidden -ffp-contract=off -fno-fast-math
    -fno-sanitize=all -fno-stack-protector -U_FORTIFY_SOURCE)
set(TenonPlugin_LINK_FLAGS -nostartfiles -fno-sanitize=all -Wl,-z,defs -Wl,-z,now -Wl,-z,relro
    -Wl,-z,noexecstack -Wl,--build-id=sha1)

if(NOT TARGET TenonPlugin::headers)
    add_library(TenonPlugin::headers INTERFACE IMPORTED)
    set_target_properties(TenonPlugin::headers PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${TenonPlugin_INCLUDE_DIR}")
endif()

if(NOT COMMAND tenon_plugin)
    function(tenon_plugin name)
        cmake_parse_arguments(P "" "OUTPUT;VERSION_SCRIPT" "SOURCES" ${ARGN})
        if(NOT P_SOURCES)
            message(FATAL_ERROR "tenon_plugin(${name}): no SOURCES; name the plugin's .c files")
        endif()
        if(NOT P_OUTPUT)
            set(P_OUTPUT ${name})
        endif()
        if(NOT P_VERSION_SCRIPT)
            set(P_VERSION_SCRIPT ${TenonPlugin_VERSION_SCRIPT})
        endif()
        add_library(${name} MODULE ${P_SOURCES})
        set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" OUTPUT_NAME "${P_OUTPUT}"
            NO_SONAME ON C_STANDARD 11 C_EXTENSIONS ON C_STANDARD_REQUIRED ON
            POSITION_INDEPENDENT_CODE ON LINK_DEPENDS "${P_VERSION_SCRIPT}")
        # -O2 unless the author chose a build type: an unoptimised plugin misses its budget.
        if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
            target_compile_options(${name} PRIVATE -O2 -g)
        endif()
        target_compile_options(${name} PRIVATE -Wall -Wextra ${TenonPlugin_COMPILE_FLAGS})
        target_link_options(${name} PRIVATE ${TenonPlugin_LINK_FLAGS}
            "-Wl,--version-script=${P_VERSION_SCRIPT}")
        target_link_libraries(${name} PRIVATE TenonPlugin::headers m)
    endfunction()
endif()
set(TenonPlugin_FOUND TRUE)
unset(_tenon_here)
