#include "engine/cluster/distributed_execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/distribution/planner.h"
#include "engine/distribution/reference_locks.h"
#include "engine/types/array.h"
#include "engine/types/binary_form.h"
#include "engine/types/error.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

// So that no message becomes too large.
constexpr std::size_t values_of_a_message = 20'000;
constexpr std::size_t bytes_of_a_message = std::size_t{8} << 20;

class StoredRows final : public executor::CustomRowSource::Rows {
 public:
  explicit StoredRows(const std::vector<Row>& rows) : rows_(rows) {}
  bool next(executor::RowView& row) override {
    if (at_ == rows_.size()) return false;
    row = rows_[at_++];
    return true;
  }

 private:
  const std::vector<Row>& rows_;
  std::size_t at_ = 0;
};

// Of "UPDATE 3" and the like.
std::uint64_t count_of(const std::string& tag) {
  const std::size_t blank = tag.rfind(' ');
  std::uint64_t count = 0;
  if (blank != std::string::npos) std::from_chars(tag.data() + blank + 1, tag.data() + tag.size(), count);
  return count;
}

std::string tag_of(query::Command command, std::uint64_t count) {
  switch (command) {
    case query::Command::insert:
      return fmt::format("INSERT 0 {}", count);
    case query::Command::update:
      return fmt::format("UPDATE {}", count);
    case query::Command::remove:
      return fmt::format("DELETE {}", count);
    case query::Command::select:
      break;
  }
  return fmt::format("SELECT {}", count);
}

std::vector<ResultColumn> columns_of(const distribution::DistributedPlan& plan) {
  std::vector<ResultColumn> columns;
  for (const query::OutputName& column : plan.columns) columns.push_back({column.name, column.type});
  return columns;
}

Row as_texts(const Row& row, const std::vector<ResultColumn>& columns, const CallContext& context) {
  Row texts;
  for (std::size_t i = 0; i < row.size(); ++i) {
    texts.push_back(row[i].is_null() ? Value::null() : Value::text(output_value(row[i], columns[i].type.id, context)));
  }
  return texts;
}

// Numbers of objects are each node's own. Its answers have their names, as texts.
bool is_object(TypeId type) {
  const TypeInfo& info = type_info(type);
  const TypeId element = info.element == TypeId::none ? type : info.element;
  return element == TypeId::regclass || element == TypeId::regnamespace || element == TypeId::regproc ||
         element == TypeId::regtype;
}

// Texts from which nobody could make the rows again.
bool is_row(TypeId type) { return type == TypeId::record || type == TypeId::record_array || is_pseudo_type(type); }

}  // namespace

// Texts of the client's settings would mean something else elsewhere.
CallContext DistributedExecution::wire_context() const {
  CallContext context;
  context.session = place_.local.call_context().session;
  return context;
}

std::vector<DistributedExecution::TextColumn> DistributedExecution::text_columns(const distribution::Job& job) {
  std::vector<TextColumn> found;
  const std::vector<query::OutputName> columns = query::output_columns(*job.query);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Type type = columns[i].type;
    if (is_object(type.id) || is_row(type.id)) found.push_back({i, type, is_object(type.id)});
  }
  return found;
}

// What a node calls by the name of a shard is the table, here: tableoid::regclass.
std::optional<Value> DistributedExecution::table_of_shard(std::string_view name) const {
  const std::size_t begin = name.rfind('.') + 1;  // npos + 1 is 0
  const std::string last(name.substr(begin));
  const std::size_t end = last.rfind('_');
  if (end == std::string::npos || end + 1 == last.size() ||
      last.find_first_not_of("0123456789", end + 1) != std::string::npos) {
    return std::nullopt;
  }
  for (const auto& [id, table] : place_.metadata.tables) {
    const bool has = std::ranges::any_of(table->shards, [&](const distribution::Shard& shard) {
      return last.compare(end + 1, std::string::npos, std::to_string(shard.id)) == 0;
    });
    if (has) return Value::integer(id);
  }
  return std::nullopt;
}

void DistributedExecution::read_texts(QueryResult& answer, const std::vector<TextColumn>& columns, bool remote) const {
  for (const TextColumn& column : columns) {
    // There are few names, and many rows.
    std::map<std::string, Value, std::less<>> objects;
    for (Row& row : answer.rows) {
      Value& value = row[column.position];
      if (value.is_null() || (remote && !column.is_object)) continue;
      const std::string text(remote ? std::string(value.as_text())
                                    : output_value(value, column.type.id, wire_context()));
      if (!column.is_object) {
        value = Value::text(text);
        continue;
      }
      const auto known = objects.find(text);
      if (known != objects.end()) {
        value = known->second;
        continue;
      }
      const std::optional<Value> table = column.type.id == TypeId::regclass ? table_of_shard(text) : std::nullopt;
      if (table) {
        value = *table;
      } else if (remote) {
        value = input_value(text, column.type, wire_context());
      }
      objects.emplace(text, value);
    }
  }
}

// Copies of a reference table stay the same if changes of what is seen are one at a time for each table: what is seen
// from here on has to be looked at when the table is locked already.
void DistributedExecution::lock_references(const distribution::DistributedPlan& plan) {
  for (const distribution::Subplan& each : plan.subplans) lock_references(*each.plan);
  if (plan.job == nullptr) return;
  for (const distribution::ReferenceLock& lock : distribution::reference_locks(*plan.job)) {
    if (lock.group == place_.coordinator.group_id()) {
      run_here(lock.sql, {});
    } else {
      place_.executor.run(place_.metadata, {Task{lock.group, lock.sql}}, true, begin());
    }
  }
}

void DistributedExecution::begin_parts(const distribution::DistributedPlan& plan) {
  if (!distribution::has_changing_subplans(plan)) return;
  lock_references(plan);
  place_.local.begin_parts();
  place_.executor.begin_parts();
}

QueryResult DistributedExecution::run(const distribution::DistributedPlan& plan, const distribution::Subplan* subplan) {
  // What nodes are lent lasts as long as a transaction.
  in_block_ = in_block_ || !plan.subplans.empty();
  if (subplan == nullptr) begin_parts(plan);
  for (const distribution::Subplan& each : plan.subplans) {
    if (!each.afterwards) run_subplan(each);
  }
  Measured* measured = nullptr;
  if (measure_) {
    measured_.push_back(std::make_unique<Measured>());
    measured = measured_.back().get();
    measured->subplan = subplan;
  }
  QueryResult result;
  if (plan.job != nullptr) result = run_job(plan, measured);
  query::QueryPtr merge = plan.merge;
  // What is measured is what is shown: a scan of the tasks' rows.
  if (merge == nullptr && measured != nullptr && plan.job != nullptr) merge = distribution::merge_query(plan);
  if (merge != nullptr) {
    merged_job_ = plan.job.get();
    job_rows_ = std::move(result.rows);
    const std::vector<ErrorFields> notices = std::move(result.notices);
    result = run_merge(merge, measured);
    result.notices.insert(result.notices.end(), notices.begin(), notices.end());
    job_rows_.clear();
  }
  for (auto each = plan.subplans.rbegin(); each != plan.subplans.rend(); ++each) {
    if (each->afterwards) run_subplan(*each);
  }
  if (subplan == nullptr) {
    place_.executor.end_parts(place_.metadata);
    place_.local.end_parts();
  }
  return result;
}

QueryResult DistributedExecution::run_merge(const query::QueryPtr& merge, Measured* measured) {
  const plan::PlannedStatementPtr planned = place_.local.plan_here(merge);
  if (measured == nullptr) return place_.local.run_here(planned, values_.parameters, this);
  measured->merge = place_.local.measure_here(planned, values_.parameters, this);
  measured->measurements.nodes = [run = measured->merge.get()](const plan::Plan& node) {
    return run->execution->measurement(node);
  };
  return std::move(measured->merge->result);
}

const DistributedExecution::Measured* DistributedExecution::measured(const distribution::Subplan* subplan) const {
  for (const auto& each : measured_) {
    if (each->subplan == subplan) return each.get();
  }
  return nullptr;
}

std::unique_ptr<executor::CustomRowSource::Rows> DistributedExecution::open(const plan::CustomScan& scan) {
  if (const auto* tasks = dynamic_cast<const distribution::TaskRows*>(&scan)) {
    if (tasks->job().get() != merged_job_) throw SqlError(sqlstate::internal_error, "these tasks were not run");
    return std::make_unique<StoredRows>(job_rows_);
  }
  const auto& intermediate = dynamic_cast<const distribution::IntermediateResult&>(scan);
  return std::make_unique<StoredRows>(results_.at(intermediate.result()).parts.at(0));
}

// --- subplans ---

void DistributedExecution::run_subplan(const distribution::Subplan& subplan) {
  QueryResult rows = run(*subplan.plan, &subplan);
  Intermediate result;
  result.columns = std::move(rows.columns);
  if (!subplan.partition) {
    result.parts.push_back(std::move(rows.rows));
  } else {
    const distribution::Partitioning& split = *subplan.partition;
    result.partitioned = true;
    result.parts.resize(split.ranges.size());
    const auto column = static_cast<std::size_t>(split.column) - 1;
    for (Row& row : rows.rows) {
      if (row[column].is_null()) {
        if (split.null_error.empty()) continue;
        throw SqlError(sqlstate::null_value_not_allowed, split.null_error);
      }
      const std::int32_t hash = distribution::hash_of(row[column], split.type);
      const auto range = std::find_if(split.ranges.begin(), split.ranges.end(),
                                      [&](const auto& part) { return part.low <= hash && hash <= part.high; });
      if (range == split.ranges.end()) throw SqlError(sqlstate::internal_error, "a hash is in no partition");
      result.parts[static_cast<std::size_t>(range - split.ranges.begin())].push_back(std::move(row));
    }
  }
  results_[subplan.name] = std::move(result);
}

void DistributedExecution::send_results(const distribution::Job& job, const distribution::Task& task, int group) {
  for (const std::string& name : job.results) {
    const Intermediate& result = results_.at(name);
    if (!result.partitioned) {
      if (!std::exchange(sent_[{group, name}], true)) send_rows(group, name, result, result.parts.at(0));
      continue;
    }
    const std::string part = fmt::format("{}_{}", name, task.partition);
    if (!std::exchange(sent_[{group, part}], true))
      send_rows(group, part, result, result.parts.at(static_cast<std::size_t>(task.partition)));
  }
}

void DistributedExecution::send_rows(int group, const std::string& name, const Intermediate& result,
                                     const std::vector<Row>& rows) {
  const std::size_t width = std::max<std::size_t>(result.columns.size(), 1);
  static const std::string text =
      "SELECT pg_catalog.store_intermediate_result($1::text, $2::integer, $3::text[], $4::boolean)";
  const CallContext context = wire_context();
  bool append = false;
  for (std::size_t at = 0; at < rows.size() || !append; append = true) {
    std::vector<Value> values;
    std::size_t bytes = 0;
    for (; at < rows.size() && values.size() + width <= values_of_a_message && bytes < bytes_of_a_message; ++at) {
      for (Value& value : as_texts(rows[at], result.columns, context)) {
        if (!value.is_null()) bytes += value.as_text().size();
        values.push_back(std::move(value));
      }
      // A row without columns is a row all the same.
      if (result.columns.empty()) values.push_back(Value::null());
    }
    const Value array = Value::array(Array(TypeId::text, std::move(values)));
    const std::vector<Value> parameters{Value::text(name), Value::integer(static_cast<std::int64_t>(width)),
                                        Value::text(output_value(array, TypeId::text_array, context)),
                                        Value::text(append ? "t" : "f")};
    if (group == place_.coordinator.group_id()) {
      place_.local.run_here(StatementRequest{place_.coordinator.statements().parse(text).at(0), text, parameters});
      continue;
    }
    place_.executor.run(place_.metadata, {Task{group, text, parameters}}, true, begin());
  }
}

void DistributedExecution::take_back_results() {
  static const std::string text =
      "SELECT pg_catalog.store_intermediate_result(''::text, 0, '{}'::text[], false::boolean)";
  std::vector<Task> tasks;
  for (const auto& [sent, unused] : sent_) {
    const int group = sent.first;
    if (!tasks.empty() && tasks.back().group_id == group) continue;
    tasks.push_back({group, text});
  }
  const auto own = std::find_if(tasks.begin(), tasks.end(),
                                [&](const Task& task) { return task.group_id == place_.coordinator.group_id(); });
  if (own != tasks.end()) {
    run_here(text, {});
    tasks.erase(own);
  }
  if (!tasks.empty()) place_.executor.run(place_.metadata, tasks, true, begin());
  sent_.clear();
}

// --- tasks ---

QueryResult DistributedExecution::run_here(const std::string& sql, std::span<const Value> parameters) {
  return place_.local.run_here(StatementRequest{place_.coordinator.statements().parse(sql).at(0), sql, parameters});
}

std::vector<Value> DistributedExecution::wire_parameters(const distribution::Job& job,
                                                         const std::vector<Value>& values) const {
  std::vector<Value> texts;
  texts.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null()) {
      texts.push_back(Value::null());
      continue;
    }
    const distribution::ParameterSource& source = job.parameters.at(i);
    const TypeId type = source.value != nullptr ? source.value->type.id
                                                : types_[static_cast<std::size_t>(source.statement_parameter) - 1].id;
    texts.push_back(type == TypeId::text ? values[i] : Value::text(output_value(values[i], type, wire_context())));
  }
  return texts;
}

namespace {

// What is asked of a node, and what becomes of the answer.
struct Request {
  enum class Use : std::uint8_t { answer, copy, nothing, plan } use = Use::answer;
  std::size_t task = 0;
};

std::string measure_statement(const plan::ExplainOptions& options) {
  return fmt::format("SELECT pg_catalog.measure_next_query({}, {}, {}, {})", options.verbose, options.costs,
                     options.timing, options.summary);
}
constexpr const char* measured_plan_statement = "SELECT pg_catalog.last_measured_plan()";

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  lines.emplace_back(text);
  return lines;
}

// As they would travel in the closest relative's protocol, which is binary.
std::uint64_t bytes_of(const QueryResult& result) {
  std::uint64_t bytes = 0;
  std::string form;
  for (const Row& row : result.rows) {
    form.clear();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i].is_null()) append_binary(form, row[i], result.columns[i].type.id);
    }
    bytes += form.size();
  }
  return bytes;
}

}  // namespace

// UPDATE and DELETE of several shards, one at a time on each coordinator, as in the relative
// (AcquireExecutorShardLocksForExecution(), executor/distributed_execution_locks.c): two of them could lock the same
// rows in another order on each node.
void DistributedExecution::lock_shards(const distribution::DistributedPlan& plan) {
  if (plan.command != query::Command::update && plan.command != query::Command::remove) return;
  const distribution::Job& job = *plan.job;
  const auto& entry = job.query->entries[static_cast<std::size_t>(job.query->result_entry)];
  const storage::RelationId changed = std::get<query::TableSource>(entry.source).relation->id;
  for (const distribution::JobTable& table : job.tables) {
    if (table.relation->id != changed || table.distribution->is_reference()) continue;
    for (const std::size_t position :
         distribution::chosen_shards(*job.choices.at(table.choice), *table.distribution, values_))
      place_.local.lock_shard(table.distribution->shards.at(position).id);
    return;
  }
}

QueryResult DistributedExecution::run_job(const distribution::DistributedPlan& plan, Measured* measured) {
  const distribution::Job& job = *plan.job;
  std::vector<distribution::Task> tasks = make_tasks(job, values_);
  in_block_ = in_block_ || (job.writes && (tasks.size() > 1 || (tasks.size() == 1 && tasks[0].groups.size() > 1)));
  if (tasks.size() > 1) lock_shards(plan);
  QueryResult result = run_tasks(plan, tasks, measured);
  if (measured != nullptr) measured->measurements.tasks = std::move(tasks);
  return result;
}

bool DistributedExecution::can_stream(const distribution::DistributedPlan& plan) {
  return plan.command == query::Command::select && plan.merge == nullptr && plan.job != nullptr && !plan.job->writes &&
         !distribution::has_changing_subplans(plan);
}

bool DistributedExecution::next_rows(const distribution::DistributedPlan& plan, std::vector<Row>& rows) {
  if (!streamed_) {
    in_block_ = in_block_ || !plan.subplans.empty();
    for (const distribution::Subplan& each : plan.subplans) run_subplan(each);
    streamed_ = make_tasks(*plan.job, values_);
  }
  if (streamed_->empty()) return false;
  std::vector<distribution::Task> now;
  std::vector<distribution::Task> later;
  for (distribution::Task& task : *streamed_) {
    const bool taken = std::any_of(now.begin(), now.end(),
                                   [&](const distribution::Task& other) { return other.groups[0] == task.groups[0]; });
    (taken ? later : now).push_back(std::move(task));
  }
  streamed_ = std::move(later);
  rows = run_tasks(plan, now, nullptr).rows;
  return true;
}

QueryResult DistributedExecution::run_tasks(const distribution::DistributedPlan& plan,
                                            const std::vector<distribution::Task>& tasks, Measured* measured) {
  const distribution::Job& job = *plan.job;
  const int own = place_.coordinator.group_id();
  std::vector<Task> remote;
  std::vector<Request> requests;  // of the remote ones
  std::vector<Value> parameters;
  // All tasks have the same ones: those with rows of their own have none.
  if (!tasks.empty()) parameters = wire_parameters(job, *tasks[0].parameters);
  QueryResult result;
  result.columns = columns_of(plan);
  std::uint64_t count = 0;
  if (measured != nullptr) measured->measurements.bytes.resize(tasks.size());
  const std::vector<TextColumn> texts = text_columns(job);
  for (const TextColumn& column : texts) {
    if (column.is_object) continue;
    if (plan.merge != nullptr) {
      throw SqlError(sqlstate::feature_not_supported,
                     "rows and values of pseudo-types are not supported in queries that the coordinator merges");
    }
    result.columns.at(column.position).type = TypeId::text;
  }
  const auto take = [&](QueryResult&& part, const Request& request, bool remote_part) {
    for (ErrorFields& notice : part.notices) result.notices.push_back(std::move(notice));
    if (request.use == Request::Use::plan)
      measured->measurements.plans.push_back(split_lines(part.rows.at(0).at(0).as_text()));
    if (request.use != Request::Use::answer) return;
    if (measured != nullptr) measured->measurements.bytes[request.task] = bytes_of(part);
    count += count_of(part.tag);
    read_texts(part, texts, remote_part);
    // Rows without columns do not travel; how many there are, does.
    if (part.columns.empty() && part.tag.starts_with("SELECT")) part.rows.resize(count_of(part.tag));
    for (Row& row : part.rows) result.rows.push_back(std::move(row));
  };
  const auto ask = [&](int group, const std::string& sql, const distribution::Task* task, const Request& request) {
    if (group == own)
      return take(run_here(sql, task == nullptr ? std::span<const Value>() : parameters), request, false);
    remote.push_back(task == nullptr ? Task{group, sql} : Task{group, sql, parameters, task->writes, task->locks});
    requests.push_back(request);
  };
  const auto run_remote = [&] {
    if (remote.empty()) return;
    std::vector<QueryResult> parts = place_.executor.run(place_.metadata, remote, in_block_, begin());
    for (std::size_t i = 0; i < parts.size(); ++i) take(std::move(parts[i]), requests[i], true);
    remote.clear();
    requests.clear();
  };
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const distribution::Task& task = tasks[i];
    const int first = task.writes || task.locks ? distribution::first_copy(task.groups) : task.groups.at(0);
    if (in_block_) {
      for (const distribution::ReferenceLock& lock : distribution::reference_locks(job, task))
        ask(lock.group, lock.sql, nullptr, {Request::Use::nothing, i});
    }
    const bool is_shown = measured != nullptr && i == 0;
    send_results(job, task, first);
    if (is_shown) ask(first, measure_statement(*measure_), nullptr, {Request::Use::nothing, i});
    ask(first, *task.sql, &task, {Request::Use::answer, i});
    if (is_shown) ask(first, measured_plan_statement, nullptr, {Request::Use::plan, i});
  }
  run_remote();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const distribution::Task& task = tasks[i];
    if (!task.writes || task.groups.size() < 2) continue;
    const int first = distribution::first_copy(task.groups);
    for (const int group : task.groups) {
      if (group == first) continue;
      send_results(job, task, group);
      ask(group, *task.sql, &task, {Request::Use::copy, i});
    }
  }
  run_remote();
  result.tag = tag_of(plan.command, plan.command == query::Command::select ? result.rows.size() : count);
  return result;
}

}  // namespace polarsim::engine::cluster
