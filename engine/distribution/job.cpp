#include "engine/distribution/job.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/distribution/entries.h"
#include "engine/distribution/sequence_calls.h"
#include "engine/distribution/task_texts.h"
#include "engine/query/deparse.h"
#include "engine/query/expression_walk.h"
#include "engine/query/program.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::distribution {
namespace {

using query::ExpressionPtr;
using query::QueryPtr;

// --- parameters ---

// Whether the value is the same for all rows and all tasks, and found without a row.
bool sees_no_row(const ExpressionPtr& expression) {
  bool free = true;
  query::walk(expression, [&](const query::Expression& each, int) {
    if (each.as<query::Column>() || each.as<query::Aggregate>() || each.as<query::WindowCall>() ||
        each.as<query::Subquery>() || each.as<query::GroupingCall>() || each.as<query::CaseOperand>() ||
        each.as<query::DefaultValue>()) {
      free = false;
    }
    const auto* call = each.as<query::Call>();
    if (call != nullptr && call->function->kind != FunctionKind::scalar) free = false;
    return free;
  });
  return free;
}

bool is_stable(const ExpressionPtr& expression) {
  if (query::contains_volatility(expression, Volatility::volatile_function)) return false;
  if (query::contains_volatility(expression, Volatility::stable)) return true;
  bool found = false;
  query::walk(expression, [&](const query::Expression& each, int) {
    found = found || each.as<query::ValueFunction>() != nullptr;
    return !found;
  });
  return found;
}

// Objects have other numbers on other nodes: parameters are sent by name.
bool is_numbered_object(const query::Expression& expression) {
  const auto* constant = expression.as<query::Constant>();
  const TypeId type = expression.type.id;
  return constant != nullptr && (type == TypeId::regclass || type == TypeId::regnamespace) &&
         !constant->value.is_null();
}

class ParameterCollector {
 public:
  explicit ParameterCollector(const CallContext& call) : call_(call) {}

  // The expression gets its value from the coordinator as it is, whatever is in it, if the value is not the same
  // always.
  void compute(const ExpressionPtr& expression) {
    if (expression->as<query::Constant>() || expression->as<query::Parameter>()) return;
    bool varies = query::contains_volatility(expression, Volatility::stable);
    query::walk(expression, [&](const query::Expression& each, int) {
      varies = varies || each.as<query::ValueFunction>() != nullptr;
      return !varies;
    });
    if (varies && sees_no_row(expression)) computed_.push_back(expression.get());
  }
  // If the statement's parameters are 1, 2, ... without a gap they keep their numbers, in whatever order they are used:
  // a task then gets the statement's values as they are.
  void keep_numbers(const query::Query& query) {
    std::vector<char> used;
    query::walk(query, [&](const query::Expression& each, int) {
      const auto* parameter = each.as<query::Parameter>();
      if (parameter == nullptr || parameter->index <= 0) return true;
      const auto index = static_cast<std::size_t>(parameter->index);
      if (used.size() < index) used.resize(index, 0);
      used[index - 1] = 1;
      return true;
    });
    if (std::find(used.begin(), used.end(), 0) != used.end()) return;
    for (std::size_t i = 0; i < used.size(); ++i) {
      ParameterSource source;
      source.statement_parameter = static_cast<int>(i) + 1;
      sources_.push_back(std::move(source));
    }
  }
  QueryPtr run(const QueryPtr& query) {
    return query::rewrite(query, [&](const ExpressionPtr& each, int) { return replacement(each); });
  }
  std::vector<ParameterSource> take() { return std::move(sources_); }

 private:
  ExpressionPtr replacement(const ExpressionPtr& expression) {
    if (const auto* parameter = expression->as<query::Parameter>()) {
      ParameterSource source;
      source.statement_parameter = parameter->index;
      return numbered(std::move(source), expression->type);
    }
    if (std::find(computed_.begin(), computed_.end(), expression.get()) != computed_.end()) {
      ParameterSource source;
      source.value = expression;
      return numbered(std::move(source), expression->type);
    }
    if (is_numbered_object(*expression)) {
      ParameterSource source;
      source.value = expression;
      return numbered(std::move(source), expression->type);
    }
    // Only the branch that is taken may be computed.
    if (expression->as<query::Case>() || expression->as<query::Coalesce>() || expression->as<query::Constant>()) {
      return nullptr;
    }
    if (is_pseudo_type(expression->type.id) || !sees_no_row(expression) || !is_stable(expression)) return nullptr;
    if (!can_be_computed(expression)) return nullptr;
    ParameterSource source;
    source.value = expression;
    return numbered(std::move(source), expression->type);
  }

  // What fails is an error if a row needs it, which only nodes know. Values of parameters are not known yet.
  bool can_be_computed(const ExpressionPtr& expression) const {
    if (query::contains(expression,
                        [](const query::Expression& each) { return each.as<query::Parameter>() != nullptr; }))
      return true;
    try {
      query::Program::compile(expression).run({{}, {}, {}, nullptr}, call_);
      return true;
    } catch (const SqlError&) {
      return false;
    }
  }

  ExpressionPtr numbered(ParameterSource source, Type type) {
    std::size_t index = 0;
    while (index < sources_.size() && !same(sources_[index], source)) ++index;
    if (index == sources_.size()) sources_.push_back(std::move(source));
    return query::make_expression(query::Parameter{static_cast<int>(index) + 1}, type);
  }
  static bool same(const ParameterSource& a, const ParameterSource& b) {
    if (!a.value && !b.value) return a.statement_parameter == b.statement_parameter;
    return a.value && b.value && query::equal(a.value, b.value) &&
           !query::contains_volatility(a.value, Volatility::volatile_function);
  }

  const CallContext& call_;
  std::vector<ParameterSource> sources_;
  std::vector<const query::Expression*> computed_;
};

// --- texts ---

// Those of any table, by their numbers.
std::vector<int> system_columns_used(const query::Query& query) {
  std::vector<int> used;
  query::walk(query, [&](const query::Expression& each, int) {
    const auto* column = each.as<query::Column>();
    if (column != nullptr && column->column < 0 && std::find(used.begin(), used.end(), column->column) == used.end())
      used.push_back(column->column);
    return true;
  });
  return used;
}

// SELECT NULL::integer AS id, ... WHERE false
QueryPtr empty_query(const query::RangeTableEntry& entry, const std::vector<int>& system_columns) {
  auto query = std::make_shared<query::Query>();
  for (const query::OutputName& column : entry.columns) {
    query::Target target;
    const Type type = column.name.empty() ? Type(TypeId::int4) : column.type;
    target.expression = query::make_expression(query::Constant{}, type);
    target.name = column.name;
    query->targets.push_back(std::move(target));
  }
  // Behind them, so that the columns keep their numbers.
  for (const int number : system_columns) {
    const query::SystemColumn& column = query::system_column(number);
    query::Target target;
    target.expression = query::make_expression(query::Constant{}, column.type);
    target.name = column.name;
    query->targets.push_back(std::move(target));
  }
  query->where = query::make_expression(query::Constant{Value::boolean(false)}, TypeId::boolean);
  return query;
}

const JobTable* find_table(const Job& job, const query::RangeTableEntry& entry) {
  const auto* source = std::get_if<query::TableSource>(&entry.source);
  if (source == nullptr) return nullptr;
  for (const JobTable& table : job.tables) {
    if (table.relation->id == source->relation->id) return &table;
  }
  return nullptr;
}

std::optional<query::RangeTableEntry> without_rows(const Job& job, const std::vector<std::size_t>& positions,
                                                   const std::vector<int>& system_columns,
                                                   const query::RangeTableEntry& entry) {
  const JobTable* table = find_table(job, entry);
  if (table == nullptr || table->distribution->is_reference() || positions[table->choice] != nowhere)
    return std::nullopt;
  query::RangeTableEntry empty = entry;
  empty.source = query::SubquerySource{empty_query(entry, system_columns)};
  empty.alias_written = true;
  return empty;
}

std::optional<query::RangeTableEntry> of_partition(const query::RangeTableEntry& entry, int partition) {
  const auto* custom = std::get_if<query::CustomSource>(&entry.source);
  const auto* result = custom == nullptr ? nullptr : dynamic_cast<const IntermediateResult*>(custom->rows.get());
  if (result == nullptr || !result->partitioned()) return std::nullopt;
  query::RangeTableEntry own = entry;
  own.source =
      query::CustomSource{std::make_shared<IntermediateResult>(fmt::format("{}_{}", result->result(), partition))};
  return own;
}

// Row locks need tables to lock.
QueryPtr without_row_marks(const QueryPtr& query) {
  if (query->row_marks.empty()) return query;
  auto copy = std::make_shared<query::Query>(*query);
  copy->row_marks.clear();
  return copy;
}

void collect_parameters(Job& job, const QueryPtr& query, const JobOptions& options, const CallContext& call,
                        bool keep_numbers) {
  ParameterCollector parameters(call);
  if (keep_numbers) parameters.keep_numbers(*query);
  if (options.inserts) {
    for (const query::Target& target : query->targets) parameters.compute(target.expression);
    for (const query::RangeTableEntry& entry : query->entries) {
      const auto* values = std::get_if<query::ValuesSource>(&entry.source);
      if (values == nullptr) continue;
      for (const auto& row : values->rows) {
        for (const ExpressionPtr& value : row) parameters.compute(value);
      }
    }
  }
  job.query = parameters.run(query);
  job.parameters = parameters.take();
}

bool uses_all_parameters(const Job& job) {
  std::vector<char> used(job.parameters.size(), 0);
  query::walk(*job.query, [&](const query::Expression& each, int) {
    const auto* parameter = each.as<query::Parameter>();
    if (parameter != nullptr && parameter->index > 0) used.at(static_cast<std::size_t>(parameter->index) - 1) = 1;
    return true;
  });
  return std::find(used.begin(), used.end(), 0) == used.end();
}

}  // namespace

std::shared_ptr<Job> make_job(const QueryPtr& query, std::vector<ShardChoicePtr> choices,
                              const ChoiceOfTable& choice_of, const DistributionInputs& inputs,
                              const JobOptions& options) {
  auto job = std::make_shared<Job>();
  collect_parameters(*job, query, options, inputs.call, true);
  // A node does not find out the type of a parameter that is nowhere: $1 of a call that the coordinator computes.
  if (!uses_all_parameters(*job)) collect_parameters(*job, query, options, inputs.call, false);
  job->same_parameters = true;
  for (std::size_t i = 0; i < job->parameters.size(); ++i) {
    if (job->parameters[i].statement_parameter != static_cast<int>(i) + 1) job->same_parameters = false;
  }
  for_each_entry(*job->query, [&](const query::RangeTableEntry& entry) {
    if (const auto* custom = std::get_if<query::CustomSource>(&entry.source)) {
      const auto* result = dynamic_cast<const IntermediateResult*>(custom->rows.get());
      if (result == nullptr) throw SqlError(sqlstate::internal_error, "tasks cannot read the rows of tasks");
      job->partition_by_shard = job->partition_by_shard || (result->partitioned() && options.partitions == 0);
      if (std::find(job->results.begin(), job->results.end(), result->result()) == job->results.end()) {
        job->results.push_back(result->result());
      }
    }
    const auto* source = std::get_if<query::TableSource>(&entry.source);
    if (source == nullptr || find_table(*job, entry) != nullptr) return;
    TableDistributionPtr distribution = inputs.source.find(*source->relation);
    if (!distribution) return;
    const auto choice = choice_of.find(source->relation->id);
    if (choice == choice_of.end() && !distribution->is_reference()) {
      throw SqlError(sqlstate::internal_error, "a task does not know which shard of a table is meant");
    }
    JobTable table{source->relation, std::move(distribution), choice == choice_of.end() ? 0 : choice->second};
    job->tables.push_back(std::move(table));
  });
  // Those with shards of their own come first: they decide where a task runs.
  std::sort(job->tables.begin(), job->tables.end(), [](const JobTable& a, const JobTable& b) {
    if (a.distribution->is_reference() != b.distribution->is_reference()) return b.distribution->is_reference();
    return a.relation->id < b.relation->id;
  });
  if (!job->tables.empty() && !job->tables.front().distribution->is_reference()) refuse_sequence_calls(*job->query);
  job->choices = std::move(choices);
  job->router = options.router;
  job->on_coordinator = options.on_coordinator;
  job->partitions = options.partitions;
  job->inserts = options.inserts;
  job->writes = query->command != query::Command::select || changes_data(*query);
  job->locks = locks_rows(*query);
  job->own_group = inputs.source.own_group();
  job->all_groups = inputs.source.groups();
  job->texts = std::make_shared<TaskTexts>();
  return job;
}

std::string task_text(const Job& job, const std::vector<std::size_t>& positions, int partition) {
  QueryPtr query = job.query;
  if (std::find(positions.begin(), positions.end(), nowhere) != positions.end()) {
    const std::vector<int> system_columns = system_columns_used(*query);
    query = without_row_marks(map_entries(query, [&](const query::RangeTableEntry& entry) {
      return without_rows(job, positions, system_columns, entry);
    }));
  } else if (partition >= 0) {
    query = map_entries(query, [&](const query::RangeTableEntry& entry) { return of_partition(entry, partition); });
  }
  return task_text_of(job, query, positions);
}

namespace {

// INSERT INTO t_102008 (...), not INSERT INTO t_102008 AS t (...).
QueryPtr without_alias(const QueryPtr& query, const std::string& name) {
  auto copy = std::make_shared<query::Query>(*query);
  copy->entries[static_cast<std::size_t>(copy->result_entry)].alias = name;
  return copy;
}

}  // namespace

std::string task_text_of(const Job& job, const QueryPtr& query, const std::vector<std::size_t>& positions,
                         const CallContext* call) {
  query::DeparseOptions options;
  options.call = call;
  options.qualify_always = true;
  options.rename = [&](const query::Relation& relation) {
    for (const JobTable& table : job.tables) {
      if (table.relation->id != relation.id) continue;
      const std::size_t position = table.distribution->is_reference() ? 0 : positions.at(table.choice);
      return query::RelationName{relation.schema,
                                 shard_name(relation.name, table.distribution->shards.at(position).id)};
    }
    return query::RelationName{relation.schema, relation.name};
  };
  if (query->command == query::Command::insert) {
    const auto& entry = query->entries[static_cast<std::size_t>(query->result_entry)];
    if (!entry.alias_written) {
      const std::string name = options.rename(*std::get<query::TableSource>(entry.source).relation).name;
      return query::deparse(*without_alias(query, name), options);
    }
  }
  return query::deparse(*query, options);
}

const TaskTexts::Text& TaskTexts::text_at(const Job& job, std::size_t position) {
  Text& text = by_position_[position];
  const int partition = job.partition_by_shard ? static_cast<int>(position) : -1;
  if (!text) text = std::make_shared<const std::string>(task_text(job, {position}, partition));
  return text;
}

const TaskTexts::Text& TaskTexts::text(const Job& job, const std::vector<std::size_t>& positions) {
  if (positions.size() == 1) return text_at(job, positions[0]);
  Text& text = by_positions_[positions];
  if (!text) text = std::make_shared<const std::string>(task_text(job, positions));
  return text;
}

}  // namespace polarsim::engine::distribution
