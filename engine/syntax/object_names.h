// Names that PostgreSQL makes up, and names inside texts.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/syntax/ast.h"

namespace polarsim::engine::syntax {

// What an index is called that was given no name: table_column_column_label, cut to 63 bytes as makeObjectName() does
// (src/backend/commands/indexcmds.c), with a number behind it if `taken` knows the name. The label is "key" for a
// unique constraint, "idx" for CREATE INDEX; "pkey", without columns, for a primary key.
std::string default_index_name(std::string_view table, const std::vector<std::string>& columns, std::string_view label,
                               const std::function<bool(const std::string&)>& taken);

// A relation's name as an argument of a function has it, e.g. 'public."My Sequence"': what is not quoted is folded to
// lower case. Throws SqlError 42602 "invalid name syntax".
TableName parse_relation_name(std::string_view text);

}  // namespace polarsim::engine::syntax
