# SPDX-License-Identifier: Apache-2.0
# The version of the package is the version of the ABI (tenon/abi.h): same major, minor not above.
set(PACKAGE_VERSION "1.0")
if(PACKAGE_FIND_VERSION_MAJOR STREQUAL "1" AND NOT PACKAGE_FIND_VERSION VERSION_GREATER "1.0")
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
    if(PACKAGE_FIND_VERSION VERSION_EQUAL "1.0")
        set(PACKAGE_VERSION_EXACT TRUE)
    endif()
else()
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()
