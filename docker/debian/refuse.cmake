# SPDX-License-Identifier: MIT
# Read by cpack before it begins: the paths in unit and manual were made for this prefix.
if(NOT CPACK_INSTALL_PREFIX STREQUAL "/usr")
	message(FATAL_ERROR "A package installs below /usr: configure with -DCMAKE_INSTALL_PREFIX=/usr and build again.")
endif()
