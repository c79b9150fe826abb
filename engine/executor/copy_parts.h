// The parts of COPY (copy.h). Private to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/executor/copy.h"

namespace polarsim::engine::executor {

// How many rows were copied.
std::uint64_t copy_from(const syntax::Copy& statement, const CopyInputs& inputs);
std::uint64_t copy_to(const syntax::Copy& statement, const CopyInputs& inputs);

// The relation, opened. 42P01 "relation \"t\" does not exist"; 42809 for what rows cannot be copied to or from.
query::RelationPtr open_copied(const syntax::Copy& statement, const CopyInputs& inputs);

// What COPY calls the columns of a query: a relation without a name.
query::Relation relation_of(const std::vector<query::OutputName>& columns);
// The positions of the named columns, or of all that can be copied, from 0. 42703 "column \"x\" of relation \"t\" does
// not exist", 42P10 "column \"b\" is a generated column", 42701.
std::vector<std::size_t> copied_columns(const query::Relation& relation, const std::vector<std::string>& names);
// For each of the copied columns whether the option (FORCE_QUOTE, ...) names it. 42P10 "FORCE_QUOTE column \"x\" not
// referenced by COPY".
std::vector<bool> forced_columns(const query::Relation& relation, const std::vector<std::size_t>& copied,
                                 const std::vector<std::string>& names, const char* option);

}  // namespace polarsim::engine::executor
