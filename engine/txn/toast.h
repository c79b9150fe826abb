// Long values out of line (PostgreSQL's src/backend/access/common/toast_internals.c, detoast.c).
//
// A row whose tuple would be longer than tuple_bytes_target has its longest values moved to the table's toast relation,
// until it is short enough or nothing is left to move. There a value (a text's bytes,
// or those of storage/value_codec.h) is a list of chunks, which are versions of rows
// (what follows after this chunk in bytes, where the next chunk is, the bytes), written last chunk first, so that each
// knows the next. Chunks carry the transaction that wrote them and the one that ended the row version they belong to,
// but nobody looks at that but vacuum: who sees a row sees its chunks. There is no compression.
//
// A version that an update makes keeps the chunks of values that did not change; they end with the last version.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/txn/heap_access.h"

namespace polarsim::engine::txn {

inline constexpr std::size_t tuple_bytes_target = 2000;

class Toast {
 public:
  // 0: the table has no toast relation, and all its values stay in its rows.
  Toast(Heap& heap, RelationId relation) : heap_(heap), relation_(relation) {}

  // Writes what has to lie out of line. `old` belongs to the version that this one replaces: a value that is the same
  // has the same chunks. Empty if the row is short. Throws SqlError 54000 if the row does not fit a page. Blocks.
  storage::ExternalColumns store(Transaction& transaction, const Row& row, const storage::ExternalColumns& old = {});
  // Puts the values into the row. Throws SqlError XX001 if a chunk is missing or damaged. Blocks.
  void fetch(Row& row, const storage::ExternalColumns& external);
  // False if some chunk is not there, as vacuum may find rows that nobody can see. Blocks.
  bool try_fetch(Row& row, const storage::ExternalColumns& external);
  // Ends, with the transaction, the chunks of what is in `external` but not in `kept`. Blocks.
  void remove(Transaction& transaction, const storage::ExternalColumns& external,
              const storage::ExternalColumns& kept = {});

 private:
  storage::ToastPointer write(Transaction& transaction, std::string_view text);
  // Empty if it is not there as it should be; `reason` says why.
  std::optional<std::string> read(const storage::ToastPointer& pointer, std::string& reason);
  bool holds(const storage::ToastPointer& pointer, const Value& value);

  Heap& heap_;
  RelationId relation_;
};

}  // namespace polarsim::engine::txn
