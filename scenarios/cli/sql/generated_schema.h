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
  bool identity = false;
};

struct GeneratedConstraint {
  std::string name;
  bool is_key = false;  // UNIQUE or PRIMARY KEY
};

// Where a cluster keeps a table.
enum class Placement : std::uint8_t { local, distributed, reference };

struct GeneratedReference {
  std::string column;
  std::string parent;
};

struct GeneratedTable {
  std::string name;  // as statements write it: with its schema unless that is public
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
  std::vector<GeneratedConstraint> constraints;
  std::vector<GeneratedReference> references;
  // What ON CONFLICT may name besides the keys: "(lower(b)) WHERE a > 0".
  std::vector<std::string> conflict_targets;

  // Without its schema.
  std::string own_name() const { return name.substr(name.find('.') + 1); }
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

struct GeneratedIndex {
  std::string name;  // without a schema
  std::string table;
};

struct GeneratedSequence {
  std::string name;
};

struct GeneratedNamespace {
  std::string name;
  bool distributed = false;  // a cluster keeps all its tables on one node
};

struct PreparedStatement {
  std::string name;
  std::vector<engine::TypeId> parameters;
};

struct GeneratedSchema {
  std::vector<GeneratedTable> tables;
  std::vector<GeneratedIndex> indexes;
  std::vector<GeneratedSequence> sequences;
  std::vector<GeneratedNamespace> namespaces;
  std::vector<PreparedStatement> prepared;
  std::size_t made = 0;  // for names

  // Null if there is none.
  GeneratedTable* find(const std::string& name);
  // By foreign keys, in either direction.
  bool leads_to(const GeneratedTable& table, const std::string& name) const;
  // What CASCADE may have taken along: views are not used any more, whether it has or not.
  void forget_views();
};

// Whether values that are equal also have the same text, so that it does not matter which one stands for a group.
bool is_canonical(engine::Type type);

// The name in the schema of another name: ("i1", "s1.r2") is s1.i1.
std::string beside(const std::string& name, const std::string& neighbour);

}  // namespace polarsim::scenarios::cli::test
