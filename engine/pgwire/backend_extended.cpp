// The extended protocol: Parse, Bind, Describe, Execute, Close (PostgreSQL's src/backend/tcop/postgres.c, pquery.c). A
// part of Backend.
#include <algorithm>
#include <utility>

#include "engine/pgwire/backend.h"
#include "engine/types/utf8.h"

namespace polarsim::engine::pgwire {

namespace {

// The tag with another number at its end: of an Execute that gave only the last of the rows.
std::string counted(const std::string& tag, std::size_t rows) {
  const std::size_t number = tag.rfind(' ') + 1;
  return number == 0 ? tag : tag.substr(0, number) + std::to_string(rows);  // SHOW and EXPLAIN count nothing
}

}  // namespace

void Backend::handle_extended(const FrontendMessage& message) {
  const auto* const executed = std::get_if<Execute>(&message);
  if (executed == nullptr || described_ != executed->portal) settle_description();
  if (executed != nullptr) return execute(*executed);
  if (const auto* m = std::get_if<Parse>(&message)) return parse(*m);
  if (const auto* m = std::get_if<Bind>(&message)) return bind(*m);
  if (const auto* m = std::get_if<Describe>(&message)) return describe(*m);
  if (const auto* m = std::get_if<Close>(&message)) return close_named(*m);
}

void Backend::parse(const Parse& message) {
  const std::vector<syntax::StatementPtr> statements = cache_.parse(message.text);
  send_notices_of(message.text);
  if (statements.size() > 1)
    throw SqlError(sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement");
  PreparedStatement prepared;
  if (!statements.empty()) prepared.statement = statements.front();
  prepared.text = message.text;
  for (const std::uint32_t oid : message.parameter_types) {
    const TypeId type = oid == 0 ? TypeId::unknown : type_from_oid(oid);
    if (oid != 0 && type == TypeId::unknown && oid != type_oid(TypeId::unknown))
      throw SqlError(sqlstate::undefined_object, "type with OID " + std::to_string(oid) + " does not exist");
    prepared.types.push_back(type);
  }
  if (message.statement.empty()) {
    unnamed_ = std::move(prepared);
  } else if (!session_->prepared_statements().try_emplace(message.statement, std::move(prepared)).second) {
    throw SqlError("42P05", "prepared statement \"" + message.statement + "\" already exists");
  }
  send(ParseComplete{});
}

PreparedStatement& Backend::find_prepared(const std::string& name) {
  if (name.empty()) {
    if (!unnamed_) throw SqlError("26000", "unnamed prepared statement does not exist");
    return *unnamed_;
  }
  const auto found = session_->prepared_statements().find(name);
  if (found == session_->prepared_statements().end())
    throw SqlError("26000", "prepared statement \"" + name + "\" does not exist");
  return found->second;
}

std::vector<Value> Backend::parameters_of(const Bind& message, const PreparedStatement& prepared) {
  std::vector<TypeId> types = prepared.types;
  const std::size_t count = message.parameters.size();
  const auto is_unknown = [&](std::size_t i) { return i >= types.size() || types[i] == TypeId::unknown; };
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_binary(message.parameter_formats, i) || !message.parameters[i] || !is_unknown(i)) continue;
    types = session_->describe({prepared.statement, prepared.text, {}, prepared.types}).parameters;
    break;
  }
  std::vector<Value> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const WireValue& value = message.parameters[i];
    if (!value) {
      values.push_back(Value::null());
    } else if (is_binary(message.parameter_formats, i)) {
      values.push_back(
          read_parameter(*value, is_unknown(i) ? TypeId::unknown : types[i], i + 1, session_->output_context()));
    } else {
      utf8::verify(*value);
      values.push_back(Value::text(*value));
    }
  }
  return values;
}

void Backend::bind(const Bind& message) {
  const PreparedStatement& prepared = find_prepared(message.statement);
  check_formats(message.parameter_formats);
  check_formats(message.result_formats);
  if (message.parameter_formats.size() > 1 && message.parameter_formats.size() != message.parameters.size()) {
    throw SqlError(sqlstate::protocol_violation,
                   "bind message has " + std::to_string(message.parameter_formats.size()) + " parameter formats but " +
                       std::to_string(message.parameters.size()) + " parameters");
  }
  const std::size_t expected =
      prepared.statement == nullptr
          ? 0
          : std::max(static_cast<std::size_t>(prepared.statement->parameters), prepared.types.size());
  if (message.parameters.size() != expected) {
    throw SqlError(sqlstate::protocol_violation, "bind message supplies " + std::to_string(message.parameters.size()) +
                                                     " parameters, but prepared statement \"" + message.statement +
                                                     "\" requires " + std::to_string(expected));
  }
  if (!message.portal.empty() && portals_.contains(message.portal))
    throw SqlError("42P03", "cursor \"" + message.portal + "\" already exists");
  Portal portal;
  portal.prepared = prepared;
  portal.parameters = parameters_of(message, prepared);
  portal.formats = message.result_formats;
  portal.savepoints = savepoints_.size();
  portals_[message.portal] = std::move(portal);
  send(BindComplete{});
}

void Backend::describe(const Describe& message) {
  if (message.kind == 'P') {
    const auto found = portals_.find(message.name);
    if (found == portals_.end()) throw SqlError("34000", "portal \"" + message.name + "\" does not exist");
    // What has run says itself what it gives.
    if (found->second.ran) {
      send_description(found->second.prepared, false, found->second.formats);
    } else {
      described_ = message.name;
    }
    return;
  }
  // From here on the client knows what the statement gives, and may not ask again.
  StatementDescription description = send_description(find_prepared(message.name), true, {});
  PreparedStatement& prepared = find_prepared(message.name);
  if (prepared.description == nullptr)
    prepared.description = std::make_shared<const StatementDescription>(std::move(description));
}

void Backend::settle_description() {
  if (!described_) return;
  const std::string name = *std::exchange(described_, std::nullopt);
  const Portal& portal = portals_.at(name);
  send_description(portal.prepared, false, portal.formats);
}

StatementDescription Backend::send_description(const PreparedStatement& prepared, bool with_parameters,
                                               const Formats& formats) {
  StatementDescription description;
  if (prepared.statement != nullptr) {
    StatementRequest request{prepared.statement, prepared.text, {}, prepared.types};
    if (prepared.description != nullptr) request.columns = &prepared.description->columns;
    description = session_->describe(request);
  }
  if (with_parameters) {
    ParameterDescription parameters;
    for (const TypeId type : description.parameters) parameters.types.push_back(type_oid(type));
    send(parameters);
  }
  const bool rows = !description.columns.empty() ||
                    (prepared.statement != nullptr && std::holds_alternative<syntax::Select>(prepared.statement->body));
  if (rows) {
    send(describe_columns(description.columns, formats));
  } else {
    send(NoData{});
  }
  return description;
}

// Runs what the portal is for; its rows wait in it.
void Backend::run_portal(Portal& portal, Describing describing) {
  const syntax::StatementPtr& statement = portal.prepared.statement;
  portal.ran = true;
  StatementRequest request{statement, portal.prepared.text, portal.parameters, portal.prepared.types};
  if (portal.prepared.description != nullptr) request.columns = &portal.prepared.description->columns;
  portal.result = run_statement(request);
  const bool rows = gives_rows(*statement, portal.result);
  describe_rows(portal.result, describing, rows, portal.formats);
  portal.parameters.clear();
}

void Backend::execute(const Execute& message) {
  const auto found = portals_.find(message.portal);
  if (found == portals_.end()) throw SqlError("34000", "portal \"" + message.portal + "\" does not exist");
  Portal& portal = found->second;
  Describing describing = described_ ? Describing::portal : Describing::nothing;
  described_.reset();
  if (portal.prepared.statement == nullptr) {
    if (describing == Describing::portal) send(NoData{});
    send(EmptyQueryResponse{});
    return;
  }
  const bool first = !portal.ran;
  if (first) {
    // The rows of COPY are no answer of the statement, and go their own way.
    const bool copies = std::holds_alternative<syntax::Copy>(portal.prepared.statement->body);
    if (describing == Describing::portal && copies) send(NoData{});
    if (copies) describing = Describing::nothing;
    run_portal(portal, describing);
  } else if (session_->status() == TransactionStatus::failed) {
    throw SqlError(sqlstate::in_failed_sql_transaction,
                   "current transaction is aborted, commands ignored until end of transaction block");
  } else if (!gives_rows(*portal.prepared.statement, portal.result)) {
    throw SqlError(sqlstate::object_not_in_prerequisite_state, "portal \"" + message.portal + "\" cannot be run");
  }
  const std::size_t left = portal.result.rows.size() - portal.next;
  // Also when these are the last ones: PostgreSQL does not look whether there are more.
  const bool limited = message.max_rows > 0 && static_cast<std::size_t>(message.max_rows) <= left;
  const std::size_t count = limited ? static_cast<std::size_t>(message.max_rows) : left;
  const std::span<const Row> rows = std::span<const Row>(portal.result.rows).subspan(portal.next, count);
  write_rows(rows, portal.result.columns, portal.formats, [this](const DataRow& row) { send(row); });
  portal.next += count;
  if (limited) {
    send(PortalSuspended{});
    return;
  }
  send(CommandComplete{first ? portal.result.tag : counted(portal.result.tag, count)});
  // The end of the transaction is the end of its portals; else what was sent needs no more room.
  portal.result.rows.clear();
  portal.next = 0;
  const syntax::StatementPtr done = portal.prepared.statement;
  const bool ends = std::holds_alternative<syntax::TransactionControl>(done->body) ||
                    std::holds_alternative<syntax::Discard>(done->body);
  follow(*done);
  if (ends && session_->status() == TransactionStatus::idle) portals_.clear();
}

void Backend::write_rows(std::span<const Row> rows, const std::vector<ResultColumn>& columns, const Formats& formats,
                         const std::function<void(const DataRow&)>& each) const {
  if (rows.empty()) return;
  const CallContext context = session_->output_context();
  DataRow data;
  for (const Row& row : rows) {
    write_row(row, columns, formats, context, data);
    each(data);
  }
}

void Backend::close_named(const Close& message) {
  if (message.kind == 'S') {
    if (message.name.empty()) unnamed_.reset();
    session_->prepared_statements().erase(message.name);
  } else {
    portals_.erase(message.name);
  }
  send(CloseComplete{});
}

}  // namespace polarsim::engine::pgwire
