// SQL errors, with PostgreSQL's SQLSTATEs and message parts.
//
// Inside the engine an error of a statement is thrown as SqlError, as PostgreSQL's ereport(ERROR) unwinds to the
// statement boundary; sessions catch it there, mark the transaction failed, and send it to the client as an
// ErrorResponse.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace polarsim::engine {

// PostgreSQL's errcodes appendix; only the ones this engine raises.
namespace sqlstate {
inline constexpr const char* successful_completion = "00000";
inline constexpr const char* warning = "01000";
inline constexpr const char* connection_exception = "08000";
inline constexpr const char* connection_failure = "08006";
inline constexpr const char* protocol_violation = "08P01";
inline constexpr const char* feature_not_supported = "0A000";
inline constexpr const char* cardinality_violation = "21000";
inline constexpr const char* data_exception = "22000";
inline constexpr const char* string_data_right_truncation = "22001";
inline constexpr const char* numeric_value_out_of_range = "22003";
inline constexpr const char* null_value_not_allowed = "22004";
inline constexpr const char* substring_error = "22011";
inline constexpr const char* character_not_in_repertoire = "22021";
inline constexpr const char* invalid_escape_sequence = "22025";
inline constexpr const char* invalid_use_of_escape_character = "2200C";
inline constexpr const char* invalid_regular_expression = "2201B";
inline constexpr const char* invalid_argument_for_logarithm = "2201E";
inline constexpr const char* invalid_argument_for_power_function = "2201F";
inline constexpr const char* invalid_argument_for_width_bucket_function = "2201G";
inline constexpr const char* invalid_preceding_or_following_size = "22013";
inline constexpr const char* array_subscript_error = "2202E";
inline constexpr const char* division_by_zero = "22012";
inline constexpr const char* invalid_parameter_value = "22023";
inline constexpr const char* sequence_generator_limit_exceeded = "2200H";
inline constexpr const char* invalid_text_representation = "22P02";
inline constexpr const char* untranslatable_character = "22P05";
inline constexpr const char* not_null_violation = "23502";
inline constexpr const char* unique_violation = "23505";
inline constexpr const char* active_sql_transaction = "25001";
inline constexpr const char* read_only_sql_transaction = "25006";
inline constexpr const char* no_active_sql_transaction = "25P01";
inline constexpr const char* in_failed_sql_transaction = "25P02";
inline constexpr const char* idle_in_transaction_session_timeout = "25P03";
inline constexpr const char* invalid_savepoint_specification = "3B001";
inline constexpr const char* invalid_schema_name = "3F000";
inline constexpr const char* serialization_failure = "40001";
inline constexpr const char* deadlock_detected = "40P01";
inline constexpr const char* insufficient_privilege = "42501";
inline constexpr const char* syntax_error = "42601";
inline constexpr const char* invalid_name = "42602";
inline constexpr const char* ambiguous_column = "42702";
inline constexpr const char* undefined_column = "42703";
inline constexpr const char* undefined_object = "42704";
inline constexpr const char* duplicate_object = "42710";
inline constexpr const char* duplicate_column = "42701";
inline constexpr const char* grouping_error = "42803";
inline constexpr const char* datatype_mismatch = "42804";
inline constexpr const char* ambiguous_function = "42725";
inline constexpr const char* wrong_object_type = "42809";
inline constexpr const char* cannot_coerce = "42846";
inline constexpr const char* undefined_function = "42883";
inline constexpr const char* undefined_table = "42P01";
inline constexpr const char* undefined_parameter = "42P02";
inline constexpr const char* duplicate_table = "42P07";
inline constexpr const char* invalid_column_reference = "42P10";
inline constexpr const char* invalid_table_definition = "42P16";
inline constexpr const char* indeterminate_datatype = "42P18";
inline constexpr const char* program_limit_exceeded = "54000";
inline constexpr const char* statement_too_complex = "54001";
inline constexpr const char* object_not_in_prerequisite_state = "55000";
inline constexpr const char* lock_not_available = "55P03";
inline constexpr const char* query_canceled = "57014";
inline constexpr const char* admin_shutdown = "57P01";
inline constexpr const char* cannot_connect_now = "57P03";
inline constexpr const char* io_error = "58030";
inline constexpr const char* undefined_file = "58P01";
inline constexpr const char* internal_error = "XX000";
inline constexpr const char* data_corrupted = "XX001";
inline constexpr const char* index_corrupted = "XX002";
}  // namespace sqlstate

// What a violated constraint is about (PostgreSQL's errtable(), errtablecol(), errtableconstraint()): drivers and
// mappers read these instead of the message.
struct ErrorObject {
  std::string schema = {};  // any of them may be empty
  std::string table = {};
  std::string column = {};
  std::string data_type = {};
  std::string constraint = {};
  friend bool operator==(const ErrorObject&, const ErrorObject&) = default;
};

struct ErrorFields {
  std::string sqlstate;
  std::string message;
  std::string detail;  // these may be empty
  std::string hint;
  std::string context;
  int position = 0;           // 1-based character of the query text; 0: none
  std::string severity = {};  // of what is not an error: "NOTICE"; empty: WARNING
  ErrorObject object = {};
};

// Its members are in error.cpp: written out at each of the thousand places that throw, they were a seventh of the
// engine's code.
class SqlError : public std::runtime_error {
 public:
  SqlError(std::string sqlstate, std::string message, std::string detail = "", std::string hint = "");
  explicit SqlError(ErrorFields fields);
  SqlError(const SqlError& other);
  SqlError& operator=(const SqlError& other);
  ~SqlError() override;

  const ErrorFields& fields() const { return fields_; }
  const std::string& sqlstate() const { return fields_.sqlstate; }
  SqlError& at(int position) {
    fields_.position = position;
    return *this;
  }
  SqlError& about(ErrorObject object);

 private:
  ErrorFields fields_;
};

}  // namespace polarsim::engine
