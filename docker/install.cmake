# SPDX-License-Identifier: MIT
# What goes onto a system beside the program: manual pages, unit, completion, documentation. And the Debian package, which is made from
# the same rules: configure with -DCMAKE_INSTALL_PREFIX=/usr, build, then `cpack -G DEB` in the build folder.

foreach(page penstock.1 penstock.yaml.5)
	string(REGEX MATCH "[0-9]$" section ${page})
	add_custom_command(OUTPUT ${page} COMMAND penstock man ${section} > ${page} DEPENDS penstock VERBATIM)
	install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
	list(APPEND PAGES ${CMAKE_CURRENT_BINARY_DIR}/${page})
endforeach()
add_custom_target(manual ALL DEPENDS ${PAGES})

set(BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
configure_file(docker/systemd/penstock.service.in penstock.service @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/penstock.service DESTINATION lib/systemd/system)
install(FILES docker/completion/penstock.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
	RENAME penstock)

include(docker/debian/package.cmake)

# The pages, with what they link to, at the same places below the documentation: their links stay good.
file(GLOB_RECURSE DOCUMENTS CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} config/*.md sidecar/*.md filter/*.md docker/*.md)
set(LINKED)
foreach(page README.md ${DOCUMENTS})
	file(READ ${page} text)
	get_filename_component(folder ${page} DIRECTORY)
	string(REPLACE "](" "href=\"" text "${text}") # brackets and semicolons would make other lists
	string(REGEX REPLACE "[][;]" "" text "${text}")
	string(REGEX MATCHALL "(href|src)=\"[^)#\"]+" links "${text}")
	foreach(link ${links})
		string(REGEX REPLACE "^(href|src)=\"" "" link "${link}")
		cmake_path(SET path NORMALIZE "${folder}/${link}")
		string(REGEX REPLACE "^/" "" path "${path}")
		if(NOT link MATCHES "://" AND EXISTS ${PROJECT_SOURCE_DIR}/${path} AND NOT IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${path})
			list(APPEND LINKED ${path})
		endif()
	endforeach()
endforeach()
list(APPEND DOCUMENTS ${LINKED})
list(REMOVE_DUPLICATES DOCUMENTS)
list(REMOVE_ITEM DOCUMENTS README.md LICENSE) # CMakeLists.txt has them
foreach(document ${DOCUMENTS})
	get_filename_component(folder ${document} DIRECTORY)
	install(FILES ${document} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder})
endforeach()
