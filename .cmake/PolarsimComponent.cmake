# polarsim_component(NAME FILES... LINK...) makes the library `polarsim_NAME` (alias polarsim::NAME) of a layer from the
# .cpp files beside its CMakeLists.txt (tests, benchmarks and mains excepted), and the test program `NAME_tests` from its *_test.cpp files.
include(GoogleTest)

function(polarsim_component name)
  cmake_parse_arguments(ARG "" "" "LINK;PRIVATE_LINK;TEST_LINK;EXCLUDE_DIRS" ${ARGN})
  # Relative, so that a folder above the project whose name is excluded here excludes nothing.
  file(GLOB_RECURSE sources RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  foreach(directory IN LISTS ARG_EXCLUDE_DIRS ITEMS fixtures)
    list(FILTER sources EXCLUDE REGEX "(^|/)${directory}/")
    list(FILTER tests EXCLUDE REGEX "(^|/)${directory}/")
  endforeach()
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_bench\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  add_library(polarsim_${name} STATIC ${sources})
  add_library(polarsim::${name} ALIAS polarsim_${name})
  target_include_directories(polarsim_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include/polarsim>)
  target_link_libraries(polarsim_${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:polarsim_options> ${ARG_PRIVATE_LINK})
  set_target_properties(polarsim_${name} PROPERTIES EXPORT_NAME ${name})

  if(tests)
    add_executable(${name}_tests ${tests})
    target_link_libraries(${name}_tests PRIVATE polarsim_${name} polarsim_options ${ARG_TEST_LINK} rapidcheck rapidcheck_gtest GTest::gtest_main)
    gtest_discover_tests(${name}_tests TEST_PREFIX "${name}/" DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
