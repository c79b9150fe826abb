# Language level, warnings, linker and compiler cache for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(POLARSIM_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(POLARSIM_COVERAGE "Build with gcov counters" OFF)
# These two are for builds that nobody waits for but a machine: tests compile in about a third
# of the time, the rest in nine tenths of it (measured with clang++ 19 and sanitizers on four files). A precompiled header hides
# a missing #include, so one of the builds that ./test makes must do without.
option(POLARSIM_PRECOMPILE "Precompile the headers of the standard library and of the test libraries" OFF)
option(POLARSIM_PLAIN_TESTS "Compile the tests, not what they test, without optimisation" OFF)

find_program(POLARSIM_CCACHE ccache)
if(POLARSIM_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${POLARSIM_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${POLARSIM_CCACHE})
  if(POLARSIM_PRECOMPILE)
    # Without these, ccache compiles whatever uses a precompiled header anew.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${POLARSIM_CCACHE})
    add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang\ -fno-pch-timestamp>)
  endif()
endif()

find_program(POLARSIM_MOLD mold)
if(POLARSIM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(polarsim_options INTERFACE)
# A digest must not depend on the compiler: no contraction of floating-point expressions.
target_compile_options(polarsim_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror -ffp-contract=off)

# libbacktrace of g++ 12 does not read all of clang 19's DWARF 5.
add_compile_options($<$<CXX_COMPILER_ID:Clang>:-gdwarf-4>)

if(POLARSIM_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
  # Instrumented code defeats g++ 12's flow analysis: it then warns of its own <regex> and of moved variants.
  target_compile_options(polarsim_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(POLARSIM_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
