#include "engine/types/families.h"

// Window functions: names and types. The executor computes them (PostgreSQL's windowfuncs.c).
namespace polarsim::engine::families {

void add_window_functions(Entries& to) {
  using enum TypeId;
  struct Window {
    const char* name;
    std::vector<TypeId> arguments;
    TypeId result;
  };
  const Window functions[] = {
      {"row_number", {}, int8},
      {"rank", {}, int8},
      {"dense_rank", {}, int8},
      {"percent_rank", {}, float8},
      {"cume_dist", {}, float8},
      {"ntile", {int4}, int4},
      {"lag", {any_element}, any_element},
      {"lag", {any_element, int4}, any_element},
      {"lag", {any_compatible, int4, any_compatible}, any_compatible},
      {"lead", {any_element}, any_element},
      {"lead", {any_element, int4}, any_element},
      {"lead", {any_compatible, int4, any_compatible}, any_compatible},
      {"first_value", {any_element}, any_element},
      {"last_value", {any_element}, any_element},
      {"nth_value", {any_element, int4}, any_element},
  };
  for (const Window& function : functions) {
    to.functions.push_back({.name = function.name,
                            .arguments = function.arguments,
                            .result = function.result,
                            .kind = FunctionKind::window,
                            .strict = !function.arguments.empty()});
  }
}

}  // namespace polarsim::engine::families
