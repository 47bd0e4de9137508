# SPDX-License-Identifier: MIT
# The Debian package. What only it has is the component `debian`, so that a plain `cmake --install` leaves /etc alone.
set(DEBIAN ${PROJECT_SOURCE_DIR}/docker/debian)
set(DEBIAN_DOC ${CMAKE_INSTALL_DATADIR}/doc/penstock)

add_custom_command(OUTPUT changelog.Debian.gz COMMAND gzip -9nc ${DEBIAN}/changelog > changelog.Debian.gz
	DEPENDS ${DEBIAN}/changelog VERBATIM)
add_custom_target(debian_changelog ALL DEPENDS changelog.Debian.gz)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz ${DEBIAN}/copyright DESTINATION ${DEBIAN_DOC}
	COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${DEBIAN}/routes.yaml DESTINATION /etc/penstock COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${DEBIAN}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME penstock
	COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL Unspecified debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PROJECT_CONFIG_FILE ${DEBIAN}/refuse.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${DEBIAN}/pack.cmake)

set(CPACK_PACKAGE_VENDOR "The penstock authors")
set(CPACK_PACKAGE_CONTACT "The penstock authors <penstock@lists.example.org>" CACHE STRING "Maintainer of the package")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS haproxy)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
	${DEBIAN}/conffiles ${DEBIAN}/postinst ${DEBIAN}/prerm ${DEBIAN}/postrm)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "sidecar that streams the fields of uploads to where they belong")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"penstock takes multipart/form-data uploads behind a gateway such as HAProxy
and streams every field, while it arrives, to where a YAML route says it
belongs: an HTTP store, or a folder. No field is ever held whole in memory,
and nothing becomes visible downstream until the whole form is known to be
good.")
include(CPack)
