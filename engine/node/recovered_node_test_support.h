// What must be true of a node that has recovered from a crash, whatever it was doing before.
#pragma once

#include <string>
#include <vector>

#include "engine/node/crash_matrix_test_support.h"
#include "engine/node/node_test_support.h"

namespace polarsim::engine::testing {

// The table that every node of the matrix has, for new work after a recovery.
inline const std::string new_work_setup = "CREATE TABLE new_work (id int PRIMARY KEY, v text)";

// Tables with their indexes, prepared transactions, and the answers of the queries, one a line.
std::string observe_node(Instance& instance, TestSession& session, const std::vector<std::string>& queries);
// Every page can be read; no file is missing or left over; every index is sound (BTree::check()), and an index finds
// exactly the rows that the heap shows, each once, whether it is walked or asked for the row's key; no key of a unique
// index has two rows. Empty, or what is wrong.
std::string check_structure(Database& database);
// The locks of each prepared transaction, then its end, by COMMIT PREPARED or by ROLLBACK PREPARED, which leaves
// everything as it was and holds nothing any more.
std::string check_prepared(Instance& instance, TestSession& session, const std::vector<PreparedCheck>& checks,
                           bool commit);
// Inserts, commits and reads back.
std::string check_new_work(TestSession& session);

}  // namespace polarsim::engine::testing
