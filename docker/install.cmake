# SPDX-License-Identifier: MIT
# What goes onto a system beside the program: manual pages, unit, completion. And the Debian package, which is made from
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
