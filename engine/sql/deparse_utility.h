// The text of statements that have no expressions. Private to deparse.cpp.
#pragma once

#include <string>

#include "engine/sql/ast.h"

namespace polarsim::engine::sql {

std::string utility_text(const CreateIndex& create);
std::string utility_text(const CreateSequence& create);
std::string utility_text(const DropTable& drop);
std::string utility_text(const DropIndex& drop);
std::string utility_text(const DropSequence& drop);
std::string utility_text(const Truncate& truncate);
std::string utility_text(const LockTable& lock);
std::string utility_text(const Vacuum& vacuum);
std::string utility_text(const Checkpoint& checkpoint);
std::string utility_text(const Discard& discard);
std::string utility_text(const TransactionControl& control);
std::string utility_text(const SetTransaction& set);
std::string utility_text(const SetVariable& set);
std::string utility_text(const ShowVariable& show);

}  // namespace polarsim::engine::sql
