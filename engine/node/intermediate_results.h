// Rows that a coordinator has computed and lends to a session of a node until the end of its statement: what
// read_intermediate_result() gives and store_intermediate_result() takes (the relative's intermediate_results.c, which
// keeps them in files).
//
// Values are texts; whoever reads says what types they are of. Kept in memory until the coordinator clears them, or the
// transaction, or what was done since a savepoint, ends.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/function.h"
#include "engine/types/value.h"

namespace polarsim::engine {

class Array;

class IntermediateResults {
 public:
  // `values`: texts or NULLs, row by row. Unless `append`, what there was of the name goes. 22023 if they make no rows.
  // Without a name, columns and values: clear().
  void store(std::string_view name, std::int64_t columns, const Array& values, bool append);
  // 58P01 if there is none of the name; 42804 if it has another number of columns.
  std::unique_ptr<FunctionRows> read(std::string_view name, std::span<const RequestedColumn> columns,
                                     const CallContext& context) const;
  void clear() { results_.clear(); }

 private:
  struct Result {
    std::size_t columns = 0;
    std::vector<Value> values;
  };
  std::map<std::string, std::shared_ptr<const Result>, std::less<>> results_;
};

}  // namespace polarsim::engine
