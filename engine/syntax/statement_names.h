// What the statements this engine does not know are called, for refusals. Private to the parser.
#pragma once

#include <string>

#include "engine/syntax/raw_tree.h"

namespace polarsim::engine::syntax {

// The words the statement begins with ("CREATE FUNCTION"), from the grammar's node of it.
std::string statement_name(const raw::Node& node);
// Of a kind of object as the grammar names it: "OBJECT_FOREIGN_TABLE" is "FOREIGN TABLE".
std::string object_kind_name(std::string_view kind);

}  // namespace polarsim::engine::syntax
