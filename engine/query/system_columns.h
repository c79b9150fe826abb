// The columns every table has without saying so (PostgreSQL's src/include/access/sysattr.h,
// src/backend/catalog/heap.c).
#pragma once

#include <array>
#include <string_view>

#include "engine/types/type.h"

namespace polarsim::engine::query {

struct SystemColumn {
  int number = 0;  // negative
  std::string_view name;
  TypeId type = TypeId::none;
};

inline constexpr int system_column_ctid = -1;
inline constexpr int system_column_xmin = -2;
inline constexpr int system_column_cmin = -3;
inline constexpr int system_column_xmax = -4;
inline constexpr int system_column_cmax = -5;
inline constexpr int system_column_tableoid = -6;

// PostgreSQL's ctid is a tid and cmin a cid. This engine has neither type: a ctid is the text "(page,item)" and a
// command number is an xid, which shows as the same digits.
inline constexpr std::array<SystemColumn, 6> system_columns{{{system_column_ctid, "ctid", TypeId::text},
                                                             {system_column_xmin, "xmin", TypeId::xid},
                                                             {system_column_cmin, "cmin", TypeId::xid},
                                                             {system_column_xmax, "xmax", TypeId::xid},
                                                             {system_column_cmax, "cmax", TypeId::xid},
                                                             {system_column_tableoid, "tableoid", TypeId::oid}}};

// Null if the name is none of theirs.
inline const SystemColumn* find_system_column(std::string_view name) {
  for (const SystemColumn& column : system_columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}
inline const SystemColumn& system_column(int number) { return system_columns[static_cast<std::size_t>(-number - 1)]; }

}  // namespace polarsim::engine::query
