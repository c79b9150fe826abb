// What a script of generated statements knows of the tables that it has made so far.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/types/type.h"

namespace polarsim::scenarios::cli::test {

struct GeneratedColumn {
  std::string name;
  engine::Type type;
  bool not_null = false;
  bool writable = true;   // may be inserted into: neither generated nor GENERATED ALWAYS
  bool numbered = false;  // its default takes a number from a sequence, so that the order of rows matters
};

// Where a cluster keeps a table.
enum class Placement : std::uint8_t { local, distributed, reference };

struct GeneratedTable {
  std::string name;
  std::vector<GeneratedColumn> columns;
  std::vector<std::vector<std::string>>
      keys;                      // columns of unique indexes without predicate; all are NOT NULL in the first
  bool has_primary_key = false;  // keys[0]
  bool is_view = false;
  bool filled = false;
  bool checked = false;  // by CHECK: of several rows that fail, the first is told
  double rows = 30;      // about how many it may have: of a view, what its joins may make
  Placement placement = Placement::local;
  std::string distribution_column;  // of a distributed table
  bool placed = true;               // else the call that places it is still to come

  bool has_required() const {
    for (const GeneratedColumn& column : columns) {
      if (column.not_null) return true;
    }
    return false;
  }
  bool has_numbers() const {
    for (const GeneratedColumn& column : columns) {
      if (column.numbered) return true;
    }
    return false;
  }
};

struct PreparedStatement {
  std::string name;
  std::vector<engine::TypeId> parameters;
};

struct GeneratedSchema {
  std::vector<GeneratedTable> tables;
  std::vector<PreparedStatement> prepared;
  std::size_t made = 0;  // for names
};

// Whether values that are equal also have the same text, so that it does not matter which one stands for a group.
bool is_canonical(engine::Type type);

}  // namespace polarsim::scenarios::cli::test
