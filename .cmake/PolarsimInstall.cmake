# Installs what other people's projects use: polarsim::sim and polarsim::checkers, found by find_package(polarsim).
# The command installs itself beside its sources.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(polarsim_exported polarsim_sim polarsim_checkers)
foreach(library IN LISTS polarsim_exported)
  if(NOT TARGET ${library})
    return()  # a subset build (POLARSIM_ONLY) installs nothing
  endif()
endforeach()

install(TARGETS ${polarsim_exported} EXPORT polarsimTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# The contracts, and the headers that these include: others of these layers are private to them.
set(polarsim_headers
  sim/address.h sim/assert.h sim/channel.h sim/clock.h sim/crash_states.h sim/datagram.h sim/decision_log.h sim/digest.h sim/disk.h
  sim/disk_device.h sim/disk_image.h sim/distribution.h sim/divergence.h sim/fault_point.h sim/future.h sim/host.h sim/link.h sim/network.h
  sim/nursery.h sim/partition.h sim/random.h sim/scheduler.h sim/simulation.h sim/stack_overflow.h sim/stack_trace.h sim/swizzle.h sim/sync.h sim/time.h
  sim/trace.h sim/trace_file.h sim/trace_perfetto.h sim/wait_queue.h
  checkers/checkers.h checkers/compact_history.h checkers/explanation.h checkers/explanation_pictures.h checkers/history.h checkers/verdict.h
  checkers/linearizability.h checkers/named_checkers.h checkers/session_guarantees.h checkers/workload_checkers.h)
foreach(header IN LISTS polarsim_headers)
  cmake_path(GET header PARENT_PATH layer)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/polarsim/${layer})
endforeach()

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/polarsim)
install(EXPORT polarsimTargets NAMESPACE polarsim:: DESTINATION ${package_directory})
configure_package_config_file(${PROJECT_SOURCE_DIR}/.cmake/polarsimConfig.cmake.in ${PROJECT_BINARY_DIR}/polarsimConfig.cmake
  INSTALL_DESTINATION ${package_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/polarsimConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/polarsimConfig.cmake ${PROJECT_BINARY_DIR}/polarsimConfigVersion.cmake DESTINATION ${package_directory})
