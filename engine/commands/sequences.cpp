#include "engine/commands/sequences.h"

#include <fmt/format.h>

#include <utility>

#include "engine/catalog/sequence.h"

namespace polarsim::engine::commands {

namespace {

TypeId sequence_type(const syntax::SequenceOptions& options, TypeId usual) {
  if (!options.type) return usual;
  const Type type = query::resolve_type(*options.type);
  if (type.id != TypeId::int2 && type.id != TypeId::int4 && type.id != TypeId::int8) {
    throw SqlError(sqlstate::invalid_parameter_value, "sequence type must be smallint, integer, or bigint");
  }
  return type.id;
}

// The least and the greatest value that a sequence of the type can have.
std::int64_t lowest_of(TypeId type) {
  catalog::SequenceRequest downwards;
  downwards.type = type;
  downwards.increment = -1;
  return catalog::sequence_parameters(downwards).minimum;
}
std::int64_t highest_of(TypeId type) {
  catalog::SequenceRequest upwards;
  upwards.type = type;
  return catalog::sequence_parameters(upwards).maximum;
}

// What ALTER SEQUENCE does not mention stays.
catalog::SequenceRequest asked_for(const syntax::SequenceOptions& options, TypeId type,
                                   const catalog::SequenceProperties* before) {
  catalog::SequenceRequest request;
  request.type = type;
  if (before != nullptr) {
    const catalog::SequenceParameters& old = before->parameters;
    request.start = old.start;
    request.increment = old.increment;
    // Bounds that are the old type's go with it; others were chosen.
    request.minimum = old.minimum == lowest_of(before->type) ? lowest_of(type) : old.minimum;
    request.maximum = old.maximum == highest_of(before->type) ? highest_of(type) : old.maximum;
    request.cycle = old.cycle;
  }
  if (options.start) request.start = options.start;
  if (options.increment) request.increment = options.increment;
  if (options.minimum || options.no_minimum) request.minimum = options.minimum;
  if (options.maximum || options.no_maximum) request.maximum = options.maximum;
  if (options.cycle) request.cycle = *options.cycle;
  return request;
}

// Numbers that a session takes ahead of others are not modelled.
void check_cache(const syntax::SequenceOptions& options) {
  if (!options.cache || *options.cache == 1) return;
  if (*options.cache < 1) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("CACHE ({}) must be greater than zero", *options.cache));
  }
  throw SqlError(sqlstate::feature_not_supported, "sequences with a CACHE above 1 are not supported");
}

// All but whose the sequence is.
bool changes_counting(const syntax::SequenceOptions& options) {
  return options.type || options.start || options.increment || options.minimum || options.maximum ||
         options.no_minimum || options.no_maximum || options.cache || options.cycle || options.restart ||
         options.restart_at_start;
}

// Where the sequence goes on, by its new bounds.
void refuse_outside(std::int64_t value, const catalog::SequenceParameters& parameters) {
  if (value < parameters.minimum) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("RESTART value ({}) cannot be less than MINVALUE ({})", value, parameters.minimum));
  }
  if (value > parameters.maximum) {
    throw SqlError(sqlstate::invalid_parameter_value,
                   fmt::format("RESTART value ({}) cannot be greater than MAXVALUE ({})", value, parameters.maximum));
  }
}

void refuse_temporary(bool temporary) {
  if (temporary) throw SqlError(sqlstate::feature_not_supported, "temporary sequences are not supported");
}

// OWNED BY: a column of a table in the same schema.
void set_owner(CommandContext& context, Definition& sequence, const std::vector<std::string>& owned_by) {
  if (owned_by.empty()) return;
  if (owned_by.size() == 1) {
    if (owned_by.front() != "none") {
      throw SqlError(sqlstate::syntax_error, "invalid OWNED BY option", "",
                     "Specify OWNED BY table.column or OWNED BY NONE.");
    }
    sequence.sequence.owner = 0;
    sequence.sequence.owner_column = 0;
    return;
  }
  syntax::TableName name;
  name.name = owned_by[owned_by.size() - 2];
  if (owned_by.size() > 2) name.schema = owned_by[owned_by.size() - 3];
  const catalog::TablePtr table = open_table(context, name, LockMode::access_share);
  if (table->description->schema != sequence.schema) {
    throw SqlError(sqlstate::object_not_in_prerequisite_state,
                   "sequence must be in same schema as table it is linked to");
  }
  const int column = table->description->find_column(owned_by.back());
  if (column == 0) {
    throw SqlError(sqlstate::undefined_column, fmt::format("column \"{}\" of relation \"{}\" does not exist",
                                                           owned_by.back(), table->description->name));
  }
  sequence.sequence.owner = table->id;
  sequence.sequence.owner_column = column;
}

}  // namespace

catalog::SequenceProperties sequence_properties(const syntax::SequenceOptions& options,
                                                const catalog::SequenceProperties* before) {
  check_cache(options);
  catalog::SequenceProperties properties;
  if (before != nullptr) properties = *before;
  properties.type = sequence_type(options, properties.type);
  properties.parameters = catalog::sequence_parameters(asked_for(options, properties.type, before));
  return properties;
}

RelationId make_sequence(CommandContext& context, Definition definition) {
  const std::string name = definition.name;
  const RelationId id = context.catalog().create(context.transaction, std::move(definition));
  if (id == 0) throw_exists(name);
  const auto made = context.catalog().find(&context.transaction, id);
  catalog::create_sequence_page(context.database, context.transaction, *made);
  return id;
}

std::string nextval_text(RelationId sequence) { return fmt::format("nextval('{}'::regclass)", sequence); }

std::string create_sequence(CommandContext& context, const syntax::CreateSequence& create) {
  refuse_temporary(create.temporary);
  Definition definition;
  definition.kind = RelationKind::sequence;
  definition.schema = schema_for_new(context, create.sequence);
  definition.name = create.sequence.name;
  definition.sequence = sequence_properties(create.options);
  set_owner(context, definition, create.options.owned_by);
  if (create.if_not_exists) {
    syntax::TableName name = create.sequence;
    name.schema = definition.schema;
    if (find(context, name)) {
      context.notice_existing(sqlstate::duplicate_table,
                              fmt::format("relation \"{}\" already exists", create.sequence.name));
      return "CREATE SEQUENCE";
    }
  }
  make_sequence(context, std::move(definition));
  return "CREATE SEQUENCE";
}

void change_sequence(CommandContext& context, const Relation& found, const syntax::SequenceOptions& options) {
  Definition changed = *found.description;
  changed.sequence = sequence_properties(options, &found.description->sequence);
  set_owner(context, changed, options.owned_by);
  const catalog::SequenceParameters parameters = changed.sequence.parameters;
  context.catalog().alter(context.transaction, found.id, std::move(changed));
  if (changes_counting(options)) {
    const bool restarts = options.restart || options.restart_at_start;
    const Row before = catalog::sequence_row(context.database, found.file);
    const std::int64_t value = restarts ? options.restart.value_or(parameters.start) : before.at(0).as_integer();
    refuse_outside(value, parameters);
    // In a file of its own, which the sequence has for everybody once this is committed: it can be rolled back.
    catalog::Table place;
    place.id = found.id;
    context.database.visit_append_point();
    context.catalog().truncate(context.transaction, place);
    catalog::create_sequence_page(context.database, context.transaction,
                                  *context.catalog().find(&context.transaction, found.id));
    catalog::SequenceMemory nobody;
    catalog::setval(context.database, context.transaction, nobody, found.id, value,
                    !restarts && before.at(2).as_boolean());
  }
}

std::string alter_sequence(CommandContext& context, const syntax::AlterSequence& alter) {
  const auto found = open(context, alter.sequence, LockMode::share_row_exclusive);
  if (!found) {
    if (!alter.if_exists) {
      throw SqlError(sqlstate::undefined_table,
                     fmt::format("relation \"{}\" does not exist", written_name(alter.sequence)));
    }
    context.notice(fmt::format("relation \"{}\" does not exist, skipping", alter.sequence.name));
    return "ALTER SEQUENCE";
  }
  if (found->description->kind != RelationKind::sequence)
    throw SqlError(sqlstate::wrong_object_type, fmt::format("\"{}\" is not a sequence", alter.sequence.name));
  refuse_catalog(context, *found);
  change_sequence(context, *found, alter.options);
  return "ALTER SEQUENCE";
}

}  // namespace polarsim::engine::commands
