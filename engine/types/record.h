// A row as one value: ROW(1, 'a'), or a whole row of a table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine {

class Record {
 public:
  struct Field {
    std::string name;  // "f1" where there is none better
    Type type;
    Value value;
    friend bool operator==(const Field&, const Field&) = default;
  };
  explicit Record(std::vector<Field> fields) : fields_(std::move(fields)) {}
  const std::vector<Field>& fields() const { return fields_; }
  friend bool operator==(const Record&, const Record&) = default;

 private:
  std::vector<Field> fields_;
};

// What IS NULL and IS NOT NULL mean of a row: that all its fields are, and that none is. Of a row with some NULLs
// neither is true. A field that is a row itself counts as it is, not by its fields. The value may be NULL.
bool row_is_null(const Value& row);
bool row_is_not_null(const Value& row);

}  // namespace polarsim::engine
