# Installs what other people's projects use: polarsim::sim and polarsim::checkers, found by find_package(polarsim), and
# the command.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(polarsim_exported polarsim_sim polarsim_checkers)
foreach(library IN LISTS polarsim_exported)
  if(NOT TARGET ${library})
    return()  # a subset build (POLARSIM_ONLY) installs nothing
  endif()
endforeach()

install(TARGETS ${polarsim_exported} EXPORT polarsimTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(layer sim checkers)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/polarsim FILES_MATCHING PATTERN "*.h")
endforeach()
if(TARGET polarsim_cli)
  install(TARGETS polarsim_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/scenarios/library DESTINATION ${CMAKE_INSTALL_DATADIR}/polarsim/scenarios)
endif()

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/polarsim)
install(EXPORT polarsimTargets NAMESPACE polarsim:: DESTINATION ${package_directory})
configure_package_config_file(${PROJECT_SOURCE_DIR}/.cmake/polarsimConfig.cmake.in ${PROJECT_BINARY_DIR}/polarsimConfig.cmake
  INSTALL_DESTINATION ${package_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/polarsimConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/polarsimConfig.cmake ${PROJECT_BINARY_DIR}/polarsimConfigVersion.cmake DESTINATION ${package_directory})
