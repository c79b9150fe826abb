// What the WAL says of B-trees.
//
//   insert, remove: one leaf, changed; u16 item number, then (insert) the item (btree_page.h)
//   create, split, unlink: images of every page they touch, and no data
#pragma once

#include "engine/storage/redo.h"

namespace polarsim::engine::storage::btree_record {

inline constexpr auto insert = static_cast<RecordKind>(32);
inline constexpr auto remove = static_cast<RecordKind>(33);
inline constexpr auto create = static_cast<RecordKind>(34);
inline constexpr auto split = static_cast<RecordKind>(35);
inline constexpr auto unlink = static_cast<RecordKind>(36);

}  // namespace polarsim::engine::storage::btree_record
