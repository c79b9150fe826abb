// Calls of functions and operators by name, for tables of cases in tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace polarsim::engine::test {

// What a function or a binary operator gives for arguments such as "int4=5", "text=abc", "bytea=\\x00" or "text"
// (NULL): the text form of the result ("NULL", "t"), elements as "{<a>,NULL}", rows as "a | b", or "ERROR 22023:
// message".
std::string call_function(std::string_view name, const std::vector<std::string>& arguments);
std::string call_operator(std::string_view symbol, const std::vector<std::string>& arguments);

struct Call {
  std::string name;  // of a function, or the symbol of an operator
  std::vector<std::string> arguments;
  std::string result;
};
// Expects each call to give its result.
void expect_calls(const std::vector<Call>& calls);

}  // namespace polarsim::engine::test
