// What a PostgreSQL answers to expressions: for tests that compare engine/types with it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace polarsim::scenarios::cli::test {

// The value of an expression as its type's output function writes it, or NULL, or an error.
struct Outcome {
  enum class Kind { value, null, error } kind = Kind::null;
  std::string text;  // the value, or the message
  // Of an error; the last two may be empty.
  std::string sqlstate;
  std::string detail;
  std::string hint;

  static Outcome value(std::string text) { return {Kind::value, std::move(text), "", "", ""}; }
  static Outcome error(std::string sqlstate, std::string message, std::string detail = "", std::string hint = "") {
    return {Kind::error, std::move(message), std::move(sqlstate), std::move(detail), std::move(hint)};
  }
  std::string shown() const;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

class TypesReference {
 public:
  // `connection`: for libpq. Throws std::runtime_error if nobody answers.
  TypesReference(const std::string& connection, const std::string& time_zone);
  ~TypesReference();
  TypesReference(const TypesReference&) = delete;
  TypesReference& operator=(const TypesReference&) = delete;

  // Each a query of one row with two columns: whether the value is NULL, and its text. Errors are caught one by one.
  // One round trip.
  std::vector<Outcome> ask(std::span<const std::string> queries);
  // Rows of texts, NULL as "". Throws std::runtime_error if the query fails.
  std::vector<std::vector<std::string>> rows(const std::string& query);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace polarsim::scenarios::cli::test
