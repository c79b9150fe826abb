// Sequences, as functions of a session: a part of LocalServices.
#include <fmt/format.h>

#include "engine/executor/system_views.h"
#include "engine/node/session_services.h"
#include "engine/types/quote.h"

namespace polarsim::engine {

namespace {

// The catalog's own relations are none that it could look for.
catalog::RelationId sequence_of(const Value& argument) {
  const auto id = static_cast<catalog::RelationId>(argument.as_integer());
  if (const auto* const view = executor::find_system_view(id))
    throw SqlError(sqlstate::wrong_object_type, "\"" + view->relation->name + "\" is not a sequence");
  return id;
}

}  // namespace

Value LocalServices::nextval(const FunctionCall& call) {
  session_.refuse_if_read_only("nextval()");
  return Value::integer(catalog::nextval(database_, transaction(), sequences_, sequence_of(call[0])));
}

Value LocalServices::currval(const FunctionCall& call) {
  return Value::integer(catalog::currval(database_, transaction(), sequences_, sequence_of(call[0])));
}

Value LocalServices::setval(const FunctionCall& call) {
  session_.refuse_if_read_only("setval()");
  const bool is_called = call.size() < 3 || call[2].as_boolean();
  return Value::integer(
      catalog::setval(database_, transaction(), sequences_, sequence_of(call[0]), call[1].as_integer(), is_called));
}

Value LocalServices::lastval(const FunctionCall&) {
  return Value::integer(catalog::lastval(database_, transaction(), sequences_));
}

Value LocalServices::sequence_last_value(const FunctionCall& call) {
  const auto sequence = find_relation(call[0].as_integer());
  if (!sequence || sequence->description->kind != catalog::RelationKind::sequence) return Value::null();
  const auto last = catalog::last_value(database_, sequence->file);
  return last ? Value::integer(*last) : Value::null();
}

Value LocalServices::serial_sequence(const FunctionCall& call) {
  const auto table = find_by_name(call[0].as_text());
  if (!table) {
    throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", call[0].as_text()));
  }
  const int column = table->description->find_column(call[1].as_text());
  if (column == 0) {
    throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                                           call[1].as_text(), table->description->name));
  }
  for (const catalog::Relation& other : database_.catalog().relations(session_.transaction())) {
    const catalog::SequenceProperties& sequence = other.description->sequence;
    if (sequence.owner != table->id || sequence.owner_column != column) continue;
    return Value::text(quote_identifier(other.description->schema) + "." + quote_identifier(other.description->name));
  }
  return Value::null();
}

}  // namespace polarsim::engine
