#include "scenarios/cli/postgres/types_reference.h"

#include <libpq-fe.h>

#include <stdexcept>

namespace polarsim::scenarios::cli::test {
namespace {

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

// One call runs one query and answers with its kind, text and SQLSTATE.
constexpr const char* catching_function = R"(
create function pg_temp.outcome(query text) returns text[] language plpgsql as $$
declare
  is_null boolean;
  value text;
  code text;
  message text;
  detail text;
  hint text;
begin
  execute query into is_null, value;
  return case when is_null then array['null', '', '', '', ''] else array['value', value, '', '', ''] end;
exception when others then
  get stacked diagnostics code = returned_sqlstate, message = message_text, detail = pg_exception_detail,
    hint = pg_exception_hint;
  return array['error', message, code, detail, hint];
end $$)";

// A text as an element of an array's text form.
std::string quoted_element(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string Outcome::shown() const {
  switch (kind) {
    case Kind::null:
      return "NULL";
    case Kind::value:
      return "\"" + text + "\"";
    case Kind::error:
      break;
  }
  return "ERROR " + sqlstate + ": " + text + (detail.empty() ? "" : " DETAIL: " + detail) +
         (hint.empty() ? "" : " HINT: " + hint);
}

struct TypesReference::Connection {
  PGconn* connection = nullptr;

  explicit Connection(const std::string& options) : connection(PQconnectdb(options.c_str())) {
    if (PQstatus(connection) != CONNECTION_OK) {
      const std::string problem = PQerrorMessage(connection);
      PQfinish(connection);
      throw std::runtime_error(problem);
    }
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
  }
  ~Connection() { PQfinish(connection); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result checked(PGresult* raw) const {
    Result result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQresultErrorMessage(raw));
    return result;
  }
};

TypesReference::TypesReference(const std::string& connection, const std::string& time_zone)
    : connection_(std::make_unique<Connection>(connection)) {
  connection_->checked(PQexec(connection_->connection, ("set timezone to '" + time_zone + "'").c_str()));
  for (const char* statement :
       {"set datestyle to 'ISO, MDY'", "set intervalstyle to 'postgres'", "set client_encoding to 'UTF8'",
        "set statement_timeout to '20s'", "set client_min_messages to error", catching_function}) {
    connection_->checked(PQexec(connection_->connection, statement));
  }
}

TypesReference::~TypesReference() = default;

std::vector<Outcome> TypesReference::ask(std::span<const std::string> queries) {
  std::string array = "{";
  for (const std::string& query : queries) {
    if (array.size() > 1) array += ',';
    array += quoted_element(query);
  }
  array += '}';
  const char* const parameters[] = {array.c_str()};
  const Result result =
      connection_->checked(PQexecParams(connection_->connection,
                                        "select o[1], o[2], o[3], o[4], o[5] from (select n, pg_temp.outcome(q) "
                                        "as o from unnest($1::text[]) with ordinality as t(q, n)"
                                        " offset 0) as all_of_them order by n",
                                        1, nullptr, parameters, nullptr, nullptr, 0));
  std::vector<Outcome> outcomes;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    const std::string kind = PQgetvalue(result.get(), row, 0);
    const std::string text = PQgetvalue(result.get(), row, 1);
    if (kind == "null") {
      outcomes.emplace_back();
    } else if (kind == "value") {
      outcomes.push_back(Outcome::value(text));
    } else {
      outcomes.push_back(Outcome::error(PQgetvalue(result.get(), row, 2), text, PQgetvalue(result.get(), row, 3),
                                        PQgetvalue(result.get(), row, 4)));
    }
  }
  if (outcomes.size() != queries.size()) throw std::runtime_error("the server left queries without an answer");
  return outcomes;
}

std::vector<std::vector<std::string>> TypesReference::rows(const std::string& query) {
  const Result result = connection_->checked(PQexec(connection_->connection, query.c_str()));
  std::vector<std::vector<std::string>> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    std::vector<std::string>& texts = rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column)
      texts.emplace_back(PQgetvalue(result.get(), row, column));
  }
  return rows;
}

}  // namespace polarsim::scenarios::cli::test
