#include "engine/types/error.h"

#include <utility>

namespace polarsim::engine {

SqlError::SqlError(std::string sqlstate, std::string message, std::string detail, std::string hint)
    : std::runtime_error(sqlstate + ": " + message),
      fields_{std::move(sqlstate), std::move(message), std::move(detail), std::move(hint), "", 0} {}
SqlError::SqlError(ErrorFields fields)
    : std::runtime_error(fields.sqlstate + ": " + fields.message), fields_(std::move(fields)) {}
SqlError& SqlError::about(ErrorObject object) {
  fields_.object = std::move(object);
  return *this;
}
SqlError::SqlError(const SqlError& other) = default;
SqlError& SqlError::operator=(const SqlError& other) = default;
SqlError::~SqlError() = default;

}  // namespace polarsim::engine
