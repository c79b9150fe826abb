# polarsim_component(NAME FILES... LINK...) makes the library `polarsim_NAME` (alias polarsim::NAME) of a layer from the
# .cpp files beside its CMakeLists.txt (tests, benchmarks and mains excepted), and the test program `NAME_tests` from its *_test.cpp files.
# Tests that take minutes lie in *_nightly.cpp: `NAME_nightly_tests`, whose tests have the label "nightly". What both programs share is in
# *_test_support.cpp.
include(GoogleTest)

function(polarsim_component name)
  cmake_parse_arguments(ARG "" "" "LINK;PRIVATE_LINK;TEST_LINK;EXCLUDE_DIRS" ${ARGN})
  # Relative, so that a folder above the project whose name is excluded here excludes nothing.
  file(GLOB_RECURSE sources RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  set(nightly_tests ${sources})
  set(test_support ${sources})
  foreach(directory IN LISTS ARG_EXCLUDE_DIRS ITEMS fixtures)
    list(FILTER sources EXCLUDE REGEX "(^|/)${directory}/")
    list(FILTER tests EXCLUDE REGEX "(^|/)${directory}/")
    list(FILTER nightly_tests EXCLUDE REGEX "(^|/)${directory}/")
    list(FILTER test_support EXCLUDE REGEX "(^|/)${directory}/")
  endforeach()
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_nightly\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test_support\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER nightly_tests INCLUDE REGEX "_nightly\\.cpp$")
  list(FILTER test_support INCLUDE REGEX "_test_support\\.cpp$")

  add_library(polarsim_${name} STATIC ${sources})
  add_library(polarsim::${name} ALIAS polarsim_${name})
  target_include_directories(polarsim_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include/polarsim>)
  target_link_libraries(polarsim_${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:polarsim_options> ${ARG_PRIVATE_LINK})
  set_target_properties(polarsim_${name} PROPERTIES EXPORT_NAME ${name})

  set(test_libraries polarsim_${name} polarsim_options ${ARG_TEST_LINK} rapidcheck rapidcheck_gtest GTest::gtest_main)
  if(test_support)
    add_library(${name}_test_support OBJECT ${test_support})
    target_link_libraries(${name}_test_support PUBLIC ${test_libraries})
    list(APPEND test_libraries ${name}_test_support)
  endif()
  if(tests)
    add_executable(${name}_tests ${tests})
    target_link_libraries(${name}_tests PRIVATE ${test_libraries})
    gtest_discover_tests(${name}_tests TEST_PREFIX "${name}/" DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES TIMEOUT 300)
  endif()
  if(nightly_tests)
    add_executable(${name}_nightly_tests ${nightly_tests})
    target_link_libraries(${name}_nightly_tests PRIVATE ${test_libraries})
    gtest_discover_tests(${name}_nightly_tests TEST_PREFIX "${name}/" DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
      PROPERTIES TIMEOUT 3600 LABELS nightly)
  endif()
endfunction()
