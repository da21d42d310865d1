# SPDX-License-Identifier: Apache-2.0
# include() this in the top CMakeLists.txt: installs what authors outside the tree need.
#   <prefix>/include/tenon/...            headers
#   <prefix>/lib/cmake/TenonPlugin/...    find_package(TenonPlugin)
#   <prefix>/lib/pkgconfig/tenon-plugin.pc
file(READ "${CMAKE_CURRENT_LIST_DIR}/../include/tenon/abi.h" _tenon_abi)
string(REGEX MATCH "#define TN_ABI_MAJOR ([0-9]+)" _ "${_tenon_abi}")
set(TENON_ABI_VERSION "${CMAKE_MATCH_1}")
string(REGEX MATCH "#define TN_ABI_MINOR ([0-9]+)" _ "${_tenon_abi}")
string(APPEND TENON_ABI_VERSION ".${CMAKE_MATCH_1}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/tenon-plugin.pc.in"
    "${CMAKE_BINARY_DIR}/tenon-plugin.pc" @ONLY)
install(DIRECTORY "${CMAKE_CURRENT_LIST_DIR}/../include/tenon" DESTINATION include)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/TenonPluginConfig.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/TenonPluginConfigVersion.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/plugin.map" DESTINATION lib/cmake/TenonPlugin)
install(FILES "${CMAKE_BINARY_DIR}/tenon-plugin.pc" DESTINATION lib/pkgconfig)
