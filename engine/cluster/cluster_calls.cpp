#include "engine/cluster/cluster_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/cluster/cluster_function_handlers.h"
#include "engine/query/expression_analysis.h"
#include "engine/query/program.h"
#include "engine/query/type_resolution.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "engine/types/record.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

namespace {

using syntax::Expression;
using syntax::ExpressionPtr;
using syntax::FromItem;
using syntax::FromItemPtr;
using syntax::Select;

const ClusterFunction* find_function(const Expression& expression) {
  if (expression.kind != Expression::Kind::function) return nullptr;
  if (!expression.schema.empty() && expression.schema != catalog::system_schema) return nullptr;
  const auto functions = cluster_functions();
  const auto found = std::find_if(functions.begin(), functions.end(), [&expression](const ClusterFunction& function) {
    return expression.name == function.name;
  });
  return found == functions.end() ? nullptr : &*found;
}

// The one function of a FROM item; null if it is something else.
ExpressionPtr function_in(const FromItem& item) {
  const auto* function = std::get_if<syntax::FromFunction>(&item.source);
  if (function == nullptr || function->functions.size() != 1) return nullptr;
  if (function->rows_from || function->with_ordinality || !function->functions.front().columns.empty()) return nullptr;
  const ExpressionPtr& call = function->functions.front().call;
  return call != nullptr && find_function(*call) != nullptr ? call : nullptr;
}

// --- matching ---

// What an argument is before anything is converted; unknown for literals and parameters.
TypeId natural_type(const ExpressionPtr& expression, const query::AnalysisContext& context) {
  if (expression->kind == Expression::Kind::constant) return expression->type;
  if (expression->kind == Expression::Kind::parameter) {
    const auto position = static_cast<std::size_t>(expression->index) - 1;
    if (context.parameter_types == nullptr || position >= context.parameter_types->size()) return TypeId::unknown;
    const TypeId given = (*context.parameter_types)[position].id;
    return given == TypeId::none ? TypeId::unknown : given;
  }
  Select select;
  select.items.push_back({expression, "", 0});
  std::vector<Type> types;
  if (context.parameter_types != nullptr) types = *context.parameter_types;
  query::AnalysisContext own{context.relations, context.call, context.parameter_types != nullptr ? &types : nullptr,
                             context.infer_parameters};
  return query::output_columns(*query::analyse(select, own)).at(0).type.id;
}

class Matching {
 public:
  Matching(const ClusterFunction& function, const ExpressionPtr& written, const query::AnalysisContext& context)
      : function_(function), written_(*written), context_(context) {
    call_.function = &function;
    call_.written = written;
  }

  ClusterCall run() {
    refuse_aggregate_syntax();
    collect();
    place();
    const auto& parameters = function_.parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (call_.arguments[i] == nullptr) {
        if (!parameters[i].has_default) throw_not_found();
        continue;
      }
      const TypeId type = call_.types[i].id;
      const bool fits = parameters[i].type == TypeId::any || type == TypeId::unknown ||
                        query::can_coerce(type, parameters[i].type, CastContext::implicit);
      if (!fits) throw_not_found();
      if (parameters[i].type != TypeId::any) {
        call_.types[i] = parameters[i].type;
      } else if (type == TypeId::unknown) {
        call_.types[i] = TypeId::text;
      }
    }
    fix_parameters();
    return std::move(call_);
  }

 private:
  struct Argument {
    std::string name;  // empty: by position
    ExpressionPtr value;
    TypeId type = TypeId::unknown;
  };

  void refuse_aggregate_syntax() const {
    const auto refuse = [this](const char* what) {
      throw SqlError(sqlstate::wrong_object_type,
                     fmt::format("{} specified, but {} is not an aggregate function", what, function_.name))
          .at(written_.position);
    };
    if (written_.star) refuse(fmt::format("{}(*)", function_.name).c_str());
    if (written_.distinct) refuse("DISTINCT");
    if (written_.call == nullptr) return;
    if (written_.call->within_group) refuse("WITHIN GROUP");
    if (!written_.call->order_by.empty()) refuse("ORDER BY");
    if (written_.call->filter != nullptr) refuse("FILTER");
    if (written_.call->over) refuse("OVER");
    if (written_.call->variadic) throw_not_found();
  }

  void collect() {
    bool named = false;
    for (const ExpressionPtr& each : written_.arguments) {
      Argument argument;
      argument.value = each;
      if (each->kind == Expression::Kind::named_argument) {
        named = true;
        argument.name = each->name;
        argument.value = each->arguments.at(0);
        const bool twice = std::any_of(arguments_.begin(), arguments_.end(),
                                       [&each](const Argument& other) { return other.name == each->name; });
        if (twice) {
          throw SqlError(sqlstate::syntax_error, fmt::format("argument name \"{}\" used more than once", each->name))
              .at(each->position);
        }
      } else if (named) {
        throw SqlError(sqlstate::syntax_error, "positional argument cannot follow named argument").at(each->position);
      }
      arguments_.push_back(std::move(argument));
    }
    for (Argument& argument : arguments_) argument.type = natural_type(argument.value, context_);
  }

  void place() {
    const auto& parameters = function_.parameters;
    call_.arguments.resize(parameters.size());
    call_.types.resize(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) call_.types[i] = parameters[i].type;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      std::size_t at = i;
      if (!arguments_[i].name.empty()) {
        const auto found = std::find_if(
            parameters.begin(), parameters.end(),
            [&](const ClusterFunction::Parameter& parameter) { return parameter.name == arguments_[i].name; });
        at = static_cast<std::size_t>(found - parameters.begin());
      }
      if (at >= parameters.size() || call_.arguments[at] != nullptr) throw_not_found();
      call_.arguments[at] = arguments_[i].value;
      call_.types[at] = arguments_[i].type;
    }
  }

  // Finds the types of parameters that stand in arguments.
  void fix_parameters() const {
    for (std::size_t i = 0; i < call_.arguments.size(); ++i) {
      if (call_.arguments[i] == nullptr) continue;
      query::analyse_argument(call_.arguments[i], call_.types[i], context_, static_cast<int>(i) + 1);
    }
  }

  [[noreturn]] void throw_not_found() const {
    std::string types;
    for (const Argument& argument : arguments_) {
      if (!types.empty()) types += ", ";
      if (!argument.name.empty()) types += argument.name + " => ";
      types += type_name(argument.type);
    }
    SqlError error(sqlstate::undefined_function, fmt::format("function {}({}) does not exist", function_.name, types),
                   "",
                   "No function matches the given name and argument types. You might need to add explicit type casts.");
    throw error.at(written_.position);
  }

  const ClusterFunction& function_;
  const Expression& written_;
  const query::AnalysisContext& context_;
  std::vector<Argument> arguments_;
  ClusterCall call_;
};

// --- recognising ---

bool is_plain(const Select& select) {
  return select.with == nullptr && select.set_operator == syntax::SetOperator::none && select.values.empty();
}

// Nothing but a select list, and perhaps FROM.
bool is_bare(const Select& select) {
  return !select.distinct && select.distinct_on.empty() && select.where == nullptr && select.group_by.empty() &&
         select.having == nullptr && select.windows.empty() && select.order_by.empty() && select.limit == nullptr &&
         select.offset == nullptr && select.locking.empty();
}

class Finder {
 public:
  Finder(const Select& select, const query::AnalysisContext& context) : select_(select), context_(context) {}

  std::optional<ClusterQuery> run() {
    if (!is_plain(select_)) return std::nullopt;
    if (is_bare(select_) && (find_list() || find_star())) return std::move(query_);
    for (const syntax::SelectItem& item : select_.items) find_in(item.expression);
    for (const FromItemPtr& item : select_.from) find_in(*item);
    if (query_.calls.empty()) return std::nullopt;
    query_.has_rest = true;
    return std::move(query_);
  }

 private:
  void add(const ExpressionPtr& call) { query_.calls.push_back(Matching(*find_function(*call), call, context_).run()); }

  bool find_list() {
    if (!select_.from.empty() || select_.items.empty()) return false;
    for (const syntax::SelectItem& item : select_.items) {
      const ClusterFunction* function = item.expression ? find_function(*item.expression) : nullptr;
      if (function == nullptr) return false;
      if (function->returns_rows() && select_.items.size() > 1) {
        throw SqlError(sqlstate::feature_not_supported,
                       fmt::format("{} must be the only item of the select list, or stand in FROM", function->name))
            .at(item.expression->position);
      }
    }
    for (const syntax::SelectItem& item : select_.items) {
      add(item.expression);
      query_.names.push_back(item.alias.empty() ? query_.calls.back().function->name : item.alias);
    }
    return true;
  }

  bool find_star() {
    const bool star = select_.items.size() == 1 && select_.items.front().expression != nullptr &&
                      select_.items.front().expression->kind == Expression::Kind::star &&
                      select_.items.front().expression->path.empty();
    if (!star || select_.from.size() != 1) return false;
    const FromItem& item = *select_.from.front();
    const ExpressionPtr call = function_in(item);
    if (call == nullptr) return false;
    add(call);
    query_.is_from = true;
    const ClusterFunction& function = *query_.calls.front().function;
    for (std::size_t i = 0; i < function.columns.size(); ++i) {
      std::string name = function.columns[i].name;
      if (!function.returns_rows()) name = item.alias.empty() ? function.name : item.alias;
      if (i < item.column_aliases.size()) name = item.column_aliases[i];
      query_.names.push_back(std::move(name));
    }
    return true;
  }

  void find_in(const ExpressionPtr& expression) {
    if (expression == nullptr) return;
    if (const ClusterFunction* function = find_function(*expression)) {
      if (function->returns_rows()) {
        throw SqlError(sqlstate::feature_not_supported,
                       fmt::format("{} must be the only item of the select list, or stand in FROM", function->name))
            .at(expression->position);
      }
      return add(expression);
    }
    for (const ExpressionPtr& argument : expression->arguments) find_in(argument);
    find_in(expression->operand);
  }
  void find_in(const FromItem& item) {
    if (const ExpressionPtr call = function_in(item)) return add(call);
    if (const auto* join = std::get_if<syntax::FromJoin>(&item.source)) {
      find_in(*join->left);
      find_in(*join->right);
    }
  }

  const Select& select_;
  const query::AnalysisContext& context_;
  ClusterQuery query_;
};

// --- the statement without the calls ---

ExpressionPtr constant(const Value& value, TypeId type) {
  auto text = std::make_shared<Expression>();
  if (!value.is_null()) text->value = Value::text(output_value(value, type, CallContext{}));
  auto name = std::make_shared<syntax::TypeName>();
  name->schema = catalog::system_schema;
  name->name = type_info(type == TypeId::void_type ? TypeId::text : type).name;
  auto cast = std::make_shared<Expression>();
  cast->kind = Expression::Kind::cast;
  cast->arguments = {std::move(text)};
  cast->type_name = std::move(name);
  return cast;
}

ExpressionPtr false_constant() { return constant(Value::boolean(false), TypeId::boolean); }

// Answers of calls, in the order of ClusterQuery::calls; none: NULLs and no rows.
using Answers = std::vector<ClusterFunction::Rows>;

class RestMaker {
 public:
  RestMaker(const ClusterQuery& query, const Answers* answers) : query_(query), answers_(answers) {}

  syntax::StatementPtr run(const syntax::Statement& statement) {
    auto result = std::make_shared<syntax::Statement>(statement);
    auto& select = std::get<Select>(result->body);
    for (syntax::SelectItem& item : select.items) {
      // A column is called by what it was before.
      if (item.alias.empty() && item.expression != nullptr && item.expression->kind != Expression::Kind::star)
        item.alias = query::figure_column_name(*item.expression);
      item.expression = replaced(item.expression);
    }
    for (FromItemPtr& item : select.from) item = replaced(item);
    return result;
  }

 private:
  // Calls are met in the order in which they were found.
  ClusterFunction::Rows answer() {
    const std::size_t at = next_++;
    return answers_ == nullptr ? ClusterFunction::Rows{} : answers_->at(at);
  }

  ExpressionPtr replaced(const ExpressionPtr& expression) {
    if (expression == nullptr) return nullptr;
    if (const ClusterFunction* function = find_function(*expression)) {
      const ClusterFunction::Rows rows = answer();
      return constant(rows.empty() ? Value::null() : rows.front().front(), function->columns.front().type);
    }
    auto changed = std::make_shared<Expression>(*expression);
    for (ExpressionPtr& argument : changed->arguments) argument = replaced(argument);
    changed->operand = replaced(changed->operand);
    return changed;
  }

  FromItemPtr replaced(const FromItemPtr& item) {
    auto changed = std::make_shared<FromItem>(*item);
    if (auto* join = std::get_if<syntax::FromJoin>(&changed->source)) {
      join->left = replaced(join->left);
      join->right = replaced(join->right);
      return changed;
    }
    const ExpressionPtr call = function_in(*item);
    if (call == nullptr) return item;
    const ClusterFunction& function = *find_function(*call);
    syntax::FromSubquery subquery;
    subquery.query = rows_of(function, answer());
    changed->source = std::move(subquery);
    if (changed->alias.empty()) changed->alias = function.name;
    for (std::size_t i = changed->column_aliases.size(); i < function.columns.size(); ++i)
      changed->column_aliases.emplace_back(function.returns_rows() ? function.columns[i].name : changed->alias);
    return changed;
  }

  static syntax::SelectPtr rows_of(const ClusterFunction& function, const ClusterFunction::Rows& rows) {
    auto select = std::make_shared<Select>();
    for (const Row& row : rows) {
      std::vector<ExpressionPtr> values;
      for (std::size_t i = 0; i < row.size(); ++i) values.push_back(constant(row[i], function.columns[i].type));
      select->values.push_back(std::move(values));
    }
    if (!rows.empty()) return select;
    for (const ClusterFunction::Column& column : function.columns)
      select->items.push_back({constant(Value::null(), column.type), "", 0});
    select->where = false_constant();
    return select;
  }

  const ClusterQuery& query_;
  const Answers* answers_;
  std::size_t next_ = 0;
};

// --- doing ---

ClusterFunction::Rows run_call(const ClusterCall& call, const query::AnalysisContext& context,
                               const ClusterCallServices& services) {
  const ClusterFunction& function = *call.function;
  std::vector<Value> values;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const ClusterFunction::Parameter& parameter = function.parameters[i];
    if (call.arguments[i] != nullptr) {
      query::Program program = query::Program::compile(
          query::analyse_argument(call.arguments[i], call.types[i], context, static_cast<int>(i) + 1));
      query::ProgramInputs inputs;
      inputs.parameters = services.parameters;
      values.push_back(program.run(inputs, context.call));
    } else if (parameter.default_text != nullptr) {
      values.push_back(input_value(parameter.default_text, parameter.type, context.call));
    } else {
      values.push_back(Value::null());
    }
  }
  const bool has_null = std::any_of(values.begin(), values.end(), [](const Value& value) { return value.is_null(); });
  if (function.strict && has_null) {
    if (function.returns_rows()) return {};
    return {{Value::null()}};
  }
  if (function.primary) services.require_primary();
  ClusterFunctions functions(services);
  return (functions.*function.handler)(values, call.types);
}

// A row as one value.
Value record_of(const ClusterFunction& function, Row row) {
  std::vector<Record::Field> fields;
  for (std::size_t i = 0; i < row.size(); ++i)
    fields.push_back({function.columns[i].name, function.columns[i].type, std::move(row[i])});
  return Value::record(Record(std::move(fields)));
}

}  // namespace

std::optional<ClusterQuery> find_cluster_query(const syntax::Statement& statement,
                                               const query::AnalysisContext& context) {
  const auto* select = std::get_if<Select>(&statement.body);
  if (select == nullptr) return std::nullopt;
  return Finder(*select, context).run();
}

std::vector<ResultColumn> columns_of(const ClusterQuery& query) {
  std::vector<ResultColumn> columns;
  if (query.is_from) {
    const ClusterFunction& function = *query.calls.front().function;
    for (std::size_t i = 0; i < function.columns.size(); ++i)
      columns.push_back({query.names[i], function.columns[i].type});
    return columns;
  }
  for (std::size_t i = 0; i < query.calls.size(); ++i) {
    const ClusterFunction& function = *query.calls[i].function;
    columns.push_back({query.names[i], function.returns_rows() ? TypeId::record : function.columns.front().type});
  }
  return columns;
}

syntax::StatementPtr shape_of_rest(const syntax::Statement& statement, const ClusterQuery& query) {
  return RestMaker(query, nullptr).run(statement);
}

QueryResult run_cluster_query(const syntax::Statement& statement, const ClusterQuery& query,
                              const query::AnalysisContext& context, const ClusterCallServices& services) {
  if (query.has_rest && statement.parameters > 0) {
    throw SqlError(sqlstate::feature_not_supported,
                   "parameters are not supported in queries that call functions of the cluster among others");
  }
  Answers answers;
  for (const ClusterCall& call : query.calls) answers.push_back(run_call(call, context, services));
  if (query.has_rest)
    return services.cluster.run_here(syntax::deparse(*RestMaker(query, &answers).run(statement)), false);
  QueryResult result;
  result.columns = columns_of(query);
  if (query.is_from) {
    result.rows = std::move(answers.front());
  } else if (query.calls.front().function->returns_rows()) {
    for (Row& row : answers.front()) result.rows.push_back({record_of(*query.calls.front().function, std::move(row))});
  } else {
    Row& row = result.rows.emplace_back();
    for (ClusterFunction::Rows& answer : answers) row.push_back(std::move(answer.front().front()));
  }
  result.tag = fmt::format("SELECT {}", result.rows.size());
  return result;
}

}  // namespace polarsim::engine::cluster
