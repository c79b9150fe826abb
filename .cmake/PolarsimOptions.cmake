# Language level, warnings, linker and compiler cache for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(POLARSIM_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(POLARSIM_COVERAGE "Build with gcov counters" OFF)

find_program(POLARSIM_CCACHE ccache)
if(POLARSIM_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${POLARSIM_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${POLARSIM_CCACHE})
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
