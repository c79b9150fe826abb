// The tables of a node, by name and by number, with who created and who drops them.
//
// Volatile: recovery rebuilds it from the WAL. Who may see an entry is the business of the transactions above
// (txn/database.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/storage/bytes.h"
#include "engine/legacy/storage/heap.h"
#include "engine/storage/table_definition.h"

namespace polarsim::engine::legacy {

using storage::ByteReader;
using storage::ByteWriter;

using TableId = std::uint32_t;

struct TableEntry {
  TableEntry(TableId number, TableDefinition table)
      : id(number), definition(std::move(table)), heap(definition.primary_key) {}
  TableId id;
  TableDefinition definition;
  TableHeap heap;
  Xid created_by = 0;
  Xid dropped_by = 0;
};

class Catalog {
 public:
  // Entries of that name in order of creation: more than one only while a transaction drops or creates it.
  std::vector<TableEntry*> find(std::string_view schema, std::string_view name) const;
  TableEntry* find(TableId id) const;
  TableEntry& create(TableId id, TableDefinition definition, Xid xid);
  void erase(TableId id);
  TableId next_id() const { return next_id_; }

  // Counts the commits that changed a table of this name, by a number common to all names.
  std::uint64_t version(std::string_view schema, std::string_view name) const;
  void touch(const TableDefinition& definition);

 private:
  using Name = std::pair<std::string, std::string>;
  std::map<TableId, std::unique_ptr<TableEntry>> tables_;
  std::map<Name, std::vector<TableId>> names_;
  std::map<Name, std::uint64_t> versions_;
  std::uint64_t last_version_ = 0;
  TableId next_id_ = 1;
};

// Defaults are kept as SQL text. Decoding parses it: not to be called on a task's own stack.
void encode(ByteWriter& writer, const TableDefinition& definition);
TableDefinition decode_table_definition(ByteReader& reader);

}  // namespace polarsim::engine::legacy
