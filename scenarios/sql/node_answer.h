// What a node says, as an answer.
#pragma once

#include "engine/node/session.h"
#include "scenarios/sql/connection.h"

namespace polarsim::scenarios::sql {

// `context`: the settings that texts of values depend on.
Answer answer_of(const engine::QueryResult& result, const engine::CallContext& context);
Answer answer_of(const engine::SqlError& error);

}  // namespace polarsim::scenarios::sql
